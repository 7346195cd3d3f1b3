#pragma once

#include "deadline.h"
#include "process.h"
#include "temp_dir.h"

#include <Poco/JSON/Object.h>
#include <Poco/Net/WebSocket.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace lifecycle::test {

/// A headless Chromium with one tab, remote-controlled through its DevTools protocol
/// (https://chromedevtools.github.io/devtools-protocol/), and a profile that is thrown away.
///
/// Throws std::runtime_error when the browser does not do what it is told within 20 s, or a script
/// throws. One thread at a time.
///
///     Chromium browser(*Chromium::find());
///     browser.open("http://127.0.0.1:8081/");
///     CHECK(browser.showsSoon("#state", "Running"));
class Chromium {
public:
    /// The program, or nothing where it is not installed.
    static std::optional<std::string> find();

    explicit Chromium(const std::string& program);

    /// Size of the page in CSS pixels.
    void resize(int width, int height);

    /// Blocks until the document is loaded.
    void open(const std::string& url);

    /// Runs JavaScript in the page; a promise is waited for. Returns the result as a string.
    std::string evaluate(const std::string& script);

    /// The visible text of an element; empty where there is none.
    std::string text(const std::string& selector);
    /// Waits until the text of an element contains `part`; returns whether it came to that.
    bool showsSoon(const std::string& selector, std::string_view part,
                   Deadline deadline = std::chrono::seconds(20));

    /// What is to be seen, as the bytes of a PNG file.
    std::string screenshot();

private:
    int debuggingPort() const;
    std::string pageAddress(int port) const;
    Poco::JSON::Object::Ptr command(const std::string& method,
                                    const Poco::JSON::Object& parameters);
    Poco::JSON::Object::Ptr receive();

    TempDir profile_;
    Process process_;
    std::unique_ptr<Poco::Net::WebSocket> socket_;
    int last_id_ = 0;
};

} // namespace lifecycle::test
