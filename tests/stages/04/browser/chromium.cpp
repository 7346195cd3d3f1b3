#include "chromium.h"

#include "http_client.h"

#include <Poco/Base64Decoder.h>
#include <Poco/Buffer.h>
#include <Poco/Environment.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Parser.h>
#include <Poco/JSON/Stringifier.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Path.h>
#include <Poco/StreamCopier.h>
#include <Poco/Types.h>

#include <sstream>
#include <stdexcept>

using namespace std::chrono_literals;

namespace lifecycle::test {

namespace {

using Poco::JSON::Object;

constexpr auto patience = 20s;

/// No sandbox: as root Chromium refuses to start with one. It only ever sees our own page.
std::vector<std::string> commandLine(const std::string& program, const std::string& profile) {
    return {program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--hide-scrollbars", "--remote-debugging-port=0",
            "--user-data-dir=" + profile, "about:blank"};
}

std::string quoted(const std::string& text) {
    std::ostringstream out;
    Poco::JSON::Stringifier::stringify(text, out);
    return out.str();
}

} // namespace

std::optional<std::string> Chromium::find() {
    Poco::Path found;
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
        if (Poco::Path::find(Poco::Environment::get("PATH", "/usr/bin"), name, found)) {
            return found.toString();
        }
    }
    return {};
}

Chromium::Chromium(const std::string& program)
    : process_(commandLine(program, profile_.path().string()),
               {.environment = {"HOME=" + profile_.path().string(), "TMPDIR=" + profile_.path().string()}}) {
    const int port = debuggingPort();
    Poco::Net::HTTPClientSession session("127.0.0.1", static_cast<Poco::UInt16>(port));
    Poco::Net::HTTPRequest request("GET", pageAddress(port), "HTTP/1.1");
    Poco::Net::HTTPResponse response;
    socket_ = std::make_unique<Poco::Net::WebSocket>(session, request, response);
    socket_->setReceiveTimeout({patience.count(), 0});
}

void Chromium::resize(int width, int height) {
    Object metrics;
    metrics.set("width", width);
    metrics.set("height", height);
    metrics.set("deviceScaleFactor", 1);
    metrics.set("mobile", false);
    command("Emulation.setDeviceMetricsOverride", metrics);
}

void Chromium::open(const std::string& url) {
    Object target;
    target.set("url", url);
    if (const auto error = command("Page.navigate", target)->optValue<std::string>("errorText", "");
        !error.empty()) {
        throw std::runtime_error("cannot open " + url + ": " + error);
    }
    const auto isLoaded = [&] {
        return evaluate("location.href !== 'about:blank' && document.readyState") == "complete";
    };
    if (!eventually(isLoaded, patience)) {
        throw std::runtime_error(url + " did not load");
    }
}

std::string Chromium::evaluate(const std::string& script) {
    Object parameters;
    parameters.set("expression", "(async () => String(await (" + script + ")))()");
    parameters.set("awaitPromise", true);
    const auto answer = command("Runtime.evaluate", parameters);
    if (answer->has("exceptionDetails")) {
        std::ostringstream details;
        answer->getObject("exceptionDetails")->stringify(details);
        throw std::runtime_error("this script failed: " + script + "\n" + details.str());
    }
    return answer->getObject("result")->getValue<std::string>("value");
}

std::string Chromium::text(const std::string& selector) {
    return evaluate("document.querySelector(" + quoted(selector) + ")?.innerText ?? ''");
}

bool Chromium::showsSoon(const std::string& selector, std::string_view part, Deadline deadline) {
    return eventually([&] { return text(selector).find(part) != std::string::npos; }, deadline);
}

std::string Chromium::screenshot() {
    const auto answer = command("Page.captureScreenshot", Object());
    std::istringstream encoded(answer->getValue<std::string>("data"));
    Poco::Base64Decoder decoder(encoded);
    std::string png;
    Poco::StreamCopier::copyToString(decoder, png);
    return png;
}

/// It chooses a free port and says so: "DevTools listening on ws://127.0.0.1:45678/devtools/...".
int Chromium::debuggingPort() const {
    const std::string announcement = "DevTools listening on ws://127.0.0.1:";
    std::optional<int> port;
    const auto isAnnounced = [&] {
        for (const CapturedLine& line : process_.standardError()) {
            if (line.text.rfind(announcement, 0) == 0) {
                port = std::stoi(line.text.substr(announcement.size()));
            }
        }
        return port.has_value();
    };
    if (!eventually(isAnnounced, patience)) {
        throw std::runtime_error("Chromium did not start:\n" + process_.log());
    }
    return *port;
}

/// The path of the tab's own WebSocket.
std::string Chromium::pageAddress(int port) const {
    std::string path;
    const auto isThere = [&] {
        const Response answer = get(port, "/json/list");
        if (answer.status != 200) {
            return false;
        }
        const auto targets =
            Poco::JSON::Parser().parse(answer.body).extract<Poco::JSON::Array::Ptr>();
        for (unsigned i = 0; i < targets->size(); ++i) {
            const auto target = targets->getObject(i);
            if (target->getValue<std::string>("type") == "page") {
                path = "/devtools/page/" + target->getValue<std::string>("id");
            }
        }
        return !path.empty();
    };
    if (!eventually(isThere, patience)) {
        throw std::runtime_error("Chromium has no page");
    }
    return path;
}

/// Sends a command and waits for its answer. Events, which come in between, are passed over.
Object::Ptr Chromium::command(const std::string& method, const Object& parameters) {
    Object message;
    message.set("id", ++last_id_);
    message.set("method", method);
    message.set("params", parameters);
    std::ostringstream text;
    message.stringify(text);
    const std::string bytes = text.str();
    socket_->sendFrame(bytes.data(), static_cast<int>(bytes.size()));

    for (const Deadline deadline = patience; !deadline.passed();) {
        const Object::Ptr answer = receive();
        if (answer->optValue("id", 0) != last_id_) {
            continue;
        }
        if (answer->has("error")) {
            std::ostringstream reason;
            answer->getObject("error")->stringify(reason);
            throw std::runtime_error(method + ": " + reason.str());
        }
        return answer->getObject("result");
    }
    throw std::runtime_error(method + ": no answer");
}

Object::Ptr Chromium::receive() {
    Poco::Buffer<char> message(0);
    int flags = 0;
    do {
        if (socket_->receiveFrame(message, flags) == 0) { // appends
            throw std::runtime_error("Chromium has closed the connection:\n" + process_.log());
        }
    } while ((flags & Poco::Net::WebSocket::FRAME_FLAG_FIN) == 0);
    return Poco::JSON::Parser()
        .parse(std::string(message.begin(), message.size()))
        .extract<Object::Ptr>();
}

} // namespace lifecycle::test
