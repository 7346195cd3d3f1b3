// The same service on Go's net/http: GET /hello?work=300ms, GET /stream?work=1s, POST /upload. On
// SIGTERM it does what the documentation of Shutdown shows; with -naive nothing, as in a first program.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func workOf(w http.ResponseWriter, r *http.Request) (time.Duration, bool) {
	work, err := time.ParseDuration(r.URL.Query().Get("work"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
	return work, err == nil
}

func hello(w http.ResponseWriter, r *http.Request) {
	if work, ok := workOf(w, r); ok {
		time.Sleep(work)
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, "hello\n")
	}
}

func stream(w http.ResponseWriter, r *http.Request) {
	if work, ok := workOf(w, r); ok {
		for i := 0; i < 20; i++ {
			time.Sleep(work / 20)
			fmt.Fprint(w, "hello\n")
			w.(http.Flusher).Flush()
		}
	}
}

func upload(w http.ResponseWriter, r *http.Request) {
	size, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintln(w, size)
}

func main() {
	port := flag.Int("port", 8080, "port to listen on, 0 for a free one")
	timeout := flag.Duration("timeout", 10*time.Second, "how long Shutdown may take")
	naive := flag.Bool("naive", false, "leave signals to their default")
	flag.Parse()

	stop := context.Background()
	if !*naive {
		var cancel context.CancelFunc
		stop, cancel = signal.NotifyContext(stop, syscall.SIGINT, syscall.SIGTERM)
		defer cancel()
	}

	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(69)
	}
	http.HandleFunc("/hello", hello)
	http.HandleFunc("/stream", stream)
	http.HandleFunc("/upload", upload)
	server := &http.Server{}
	go server.Serve(listener)
	fmt.Fprintf(os.Stderr, "+0.000s ready port=%d pid=%d\n", listener.Addr().(*net.TCPAddr).Port, os.Getpid())

	<-stop.Done()
	deadline, release := context.WithTimeout(context.Background(), *timeout)
	defer release()
	if server.Shutdown(deadline) != nil {
		os.Exit(75)
	}
}
