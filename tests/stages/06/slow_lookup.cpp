// Preloaded into a program, it simulates unreachable name servers: a lookup is logged and never returns.

#include <netdb.h>
#include <unistd.h>

extern "C" int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) {
    constexpr char line[] = "+0.000s lookup.begin\n";
    [[maybe_unused]] const ssize_t written = ::write(2, line, sizeof line - 1);
    for (;;) {
        ::pause();
    }
}
