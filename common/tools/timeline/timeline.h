#pragma once

#include <string>
#include <vector>

namespace lifecycle::timeline {

/// What a bar shows: how a request ended, or what else took time.
enum class Kind {
    served,       ///< a complete response, whatever its status
    unavailable,  ///< a complete response, 503
    refused,      ///< no connection: the client may go elsewhere, nothing is lost
    cut,          ///< in flight, and aborted at the server's deadline
    lost,         ///< sent, and got no response
    work,         ///< work that no client waits for, finished
    lostWork,     ///< work that no client waits for, and that was not finished
    step,         ///< a step of the shutdown: a hook, the lame duck
    process,      ///< the life of a process
};

/// Seconds since the beginning of the picture.
using Seconds = double;

struct Bar {
    Seconds begin = 0;
    Seconds end = 0;
    Kind kind = Kind::served;
    std::string text{};  ///< short, such as "200"
};

/// One line of the picture: a client, a hook, a process.
struct Row {
    std::string label;
    std::vector<Bar> bars{};
};

/// A moment that concerns the whole picture.
struct Mark {
    Seconds at = 0;
    std::string text;
};

/// A run: what clients, hooks and processes did concurrently, from second 0 to the end.
struct Timeline {
    std::string title;
    std::vector<Row> rows{};
    std::vector<Mark> marks{};
    Seconds until = 0;  ///< it is drawn at least until then

    /// The last moment that is drawn.
    Seconds end() const;
};

/// Draws all of them until the same second, so that they can be compared.
void drawToOneScale(std::vector<Timeline>& timelines);

}  // namespace lifecycle::timeline
