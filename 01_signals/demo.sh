# shellcheck shell=bash disable=SC2154
# The demo of stage 01, run by ./lab demo 01: a program waits, SIGTERM arrives, the program says who sent it.
# Then the same with SIGKILL, of which no program hears.

echo "Starting 01_signals, which waits for a signal."
startStage
sleep 0.5  # so that the picture shows how it waits

echo "Sending SIGTERM to it (pid $pid) from this script (pid $$)."
kill -TERM "$pid"

wait "$job" || differs "the exit code is $?, not 0"

printf '\nIt ended with exit code 0. What it logged, sender_pid is this script:\n\n'
cat "$log"
caught=$log

echo
echo "Once more, and now sending SIGKILL. No program can catch that one."
startStage
trap 'kill $job 2>/dev/null || true; rm -f "$log" "$caught"' EXIT
sleep 0.5
killed=$(sinceStart)
kill -KILL "$pid"
code=0
{ wait "$job" || code=$?; } 2>/dev/null  # where the shell tells it, too
[ $code = 137 ] || differs "the exit code is $code, not 137 for SIGKILL"
! grep -q ' exit ' "$log" || differs "it has logged its exit"
printf '\nExit code 137. What it logged:\n\n'
cat "$log"
echo "$killed client.killed pid=$pid" >>"$log"

# shellcheck disable=SC2034  # for ./lab demo
logs=(--log "$caught" --title "SIGTERM: the program takes it, logs who sent it, and exits by itself"
      --log "$log" --title "SIGKILL: the kernel ends the program, which logs nothing any more")
