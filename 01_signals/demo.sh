# shellcheck shell=bash disable=SC2154
# The demo of stage 01, run by ./lab demo 01: a program waits, SIGTERM arrives, the program says who sent it.

echo "Starting 01_signals, which waits for a signal."
startStage
sleep 0.5  # so that the picture shows how it waits

echo "Sending SIGTERM to it (pid $pid) from this script (pid $$)."
kill -TERM "$pid"

wait "$job" || differs "the exit code is $?, not 0"

printf '\nIt ended with exit code 0. What it logged, sender_pid is this script:\n\n'
cat "$log"
