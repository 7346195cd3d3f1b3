#pragma once

#include "event_parser.h"

#include "lifecycle/event_log.h"
#include "lifecycle/file_descriptor.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace lifecycle::test {

/// An event log into memory, and what has been written to it.
class RecordedEvents {
public:
    EventLog& log() { return log_; }

    std::vector<Event> all() const {
        std::vector<Event> events;
        std::istringstream lines(text());
        for (std::string line; std::getline(lines, line);) {
            if (auto event = parseEvent(line)) {
                events.push_back(std::move(*event));
            }
        }
        return events;
    }

    std::vector<Event> all(std::string_view word) const {
        std::vector<Event> events = all();
        std::erase_if(events, [word](const Event& event) { return event.word != word; });
        return events;
    }

    std::string text() const {
        std::string all;
        std::array<char, 64 * 1024> bytes;
        for (ssize_t count = 1; count > 0;) {
            count = ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(all.size()));
            all.append(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
        }
        return all;
    }

private:
    static FileDescriptor newFile() {
        FileDescriptor file(::memfd_create("events", MFD_CLOEXEC));
        // Unlike on a disk, threads would write to the same place.
        ::fcntl(file.get(), F_SETFL, O_APPEND);
        return file;
    }

    const FileDescriptor file_ = newFile();
    EventLog log_{file_.get()};
};

} // namespace lifecycle::test
