#pragma once

#include "figure.h"

/// Every figure there is. Each function measures one, from start to end; none needs another.

namespace lifecycle::bench {

// exit_figures.cpp
Figure idleExit(const Effort& effort);
Figure exitAfterResponse(const Effort& effort);

// idle_connection_figures.cpp
Figure exitWith200Idle(const Effort& effort);
Figure exitWith1000Idle(const Effort& effort);
Figure memoryWith1000Idle(const Effort& effort);

// throughput_figures.cpp
Figure keepAliveThroughput(const Effort& effort);
Figure closeThroughput(const Effort& effort);

// gate_figures.cpp
Figure gateCost(const Effort& effort);
Figure contendedGateCost(const Effort& effort);

// filter_figures.cpp
Figure filterCost(const Effort& effort);

// hook_figures.cpp
Figure hookRun(const Effort& effort);

// order_figures.cpp
Figure orderStorage(const Effort& effort);

// restart_figures.cpp
Figure restarts(const Effort& effort);

// spawn_figures.cpp
Figure spawnCost(const Effort& effort);

// lost_request_figures.cpp
Figure lostRequests(const Effort& effort);

}  // namespace lifecycle::bench
