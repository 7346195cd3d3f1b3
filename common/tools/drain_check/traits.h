#pragma once

#include "settings.h"

namespace lifecycle::check {

/// What a server can do, found out before the rehearsal with one process of it.
struct Traits {
    int status = 0;          ///< its answer to --path
    bool keepsAlive = false; ///< answers two requests on one connection
    bool works = false;      ///< takes the time asked for by {ms}
    Duration startTook{};    ///< until its first answer
};

/// Starts the server, asks it, and ends it. Throws NeverListens if there is no answer, and what
/// Subject throws.
Traits probe(const Settings& settings);

}  // namespace lifecycle::check
