#include "logged_process.h"

#include "test_outcome.h"

#include "lifecycle/file_descriptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <exception>
#include <iostream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <thread>

namespace lifecycle::test {

namespace {

constexpr std::size_t requestsKept = 1000;

std::vector<std::string> intoFile(const std::string& file, const std::vector<std::string>& argv) {
    std::vector<std::string> command{"/bin/sh", "-c", "file=$0; exec \"$@\" 2>>\"$file\"", file};
    command.insert(command.end(), argv.begin(), argv.end());
    return command;
}

} // namespace

LoggedProcess::LoggedProcess(const std::vector<std::string>& argv, ProcessOptions options)
    : process_(std::make_unique<Process>(intoFile(directory_.path() / "log", argv), std::move(options))) {}

LoggedProcess::~LoggedProcess() {
    process_.reset();
    if (currentTestHasFailed() || std::uncaught_exceptions() > 0) {
        readOn();
        for (const Event& event : events_) {
            if (event.word.find("request.") != 0) {
                std::cerr << event.line << '\n';
            }
        }
        for (const std::string& line : otherLines_) {
            std::cerr << "no event: " << line << '\n';
        }
    }
}

void LoggedProcess::readOn() const {
    const FileDescriptor file(::open((directory_.path() / "log").c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 64 * 1024> bytes;
    for (ssize_t size = 1; size > 0;) {
        size = ::pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset_));
        offset_ += static_cast<std::size_t>(std::max<ssize_t>(size, 0));
        unfinished_.append(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
        std::size_t begin = 0;
        for (std::size_t end; (end = unfinished_.find('\n', begin)) != std::string::npos; begin = end + 1) {
            const std::string line = unfinished_.substr(begin, end - begin);
            const bool isRequest = line.find(" request.") != std::string::npos;
            if (isRequest && ++requests_ > requestsKept) {
                continue;
            }
            if (auto event = parseEvent(line)) {
                event->arrivedAt = Clock::now();
                events_.push_back(std::move(*event));
            } else {
                otherLines_.push_back(line);
            }
        }
        unfinished_.erase(0, begin);
    }
}

Event LoggedProcess::waitForEvent(const std::string& word, Deadline deadline,
                                  const Process::EventCondition& condition, std::size_t count) const {
    std::size_t next = 0;
    std::size_t seen = 0;
    for (;;) {
        const bool last = deadline.passed(); // once more, behind what has come until now
        {
            const std::lock_guard lock(mutex_);
            readOn();
            for (; next < events_.size(); ++next) {
                const Event& event = events_[next];
                if (event.word == word && (!condition || condition(event)) && ++seen == count) {
                    return event;
                }
            }
        }
        if (last) {
            throw std::runtime_error("no event '" + word + "'" + (condition ? " of the kind waited for" : ""));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1)); // nothing announces that a file has grown
    }
}

std::vector<Event> LoggedProcess::events(const std::string& word) const {
    const std::lock_guard lock(mutex_);
    readOn();
    std::vector<Event> found;
    std::copy_if(events_.begin(), events_.end(), std::back_inserter(found),
                 [&word](const Event& event) { return event.word == word; });
    return found;
}

} // namespace lifecycle::test
