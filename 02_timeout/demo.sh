# shellcheck shell=bash disable=SC2154
# The demo of stage 02, run by ./lab demo 02: SIGTERM arrives, the stop work takes 1 second of the 3 it may take.

echo "Starting 02_timeout, which has 1 second of work to do when it is told to stop, and 3 seconds to do it in."
startStage --timeout 3s --work 1s

echo "Sending SIGTERM to it (pid $pid)."
kill -TERM "$pid"

echo "Waiting for it to finish its work."
wait "$job" || differs "the exit code is $?, not 0"

printf '\nIt was done in time: exit code 0. What it logged:\n\n'
cat "$log"
