# shellcheck shell=bash disable=SC2154
# The demo of stage 02, run by ./lab demo 02: SIGTERM arrives, the stop work takes 1 second of the 3 it may take.
# Then the deadline is missed: the work takes 5 seconds of the 2 it may take, and is cut.

echo "Starting 02_timeout, which has 1 second of work to do when it is told to stop, and 3 seconds to do it in."
startStage --timeout 3s --work 1s

echo "Sending SIGTERM to it (pid $pid)."
kill -TERM "$pid"

echo "Waiting for it to finish its work."
wait "$job" || differs "the exit code is $?, not 0"

printf '\nIt was done in time: exit code 0. What it logged:\n\n'
cat "$log"
inTime=$log

echo
echo "Once more, with 5 seconds of work and 2 seconds to do it in."
startStage --timeout 2s --work 5s
trap 'kill $job 2>/dev/null || true; rm -f "$log" "$inTime"' EXIT
kill -TERM "$pid"
code=0
wait "$job" || code=$?
[ $code = 75 ] || differs "the exit code is $code, not 75"
printf '\nThe deadline has cut the work: exit code 75. What it logged:\n\n'
cat "$log"

# shellcheck disable=SC2034  # for ./lab demo
logs=(--log "$inTime" --title "1 s of stop work, deadline after 3 s: done in time"
      --log "$log" --title "5 s of stop work, deadline after 2 s: cut")
