#include "catch.h"
#include "order_server.h"
#include "orders_file.h"
#include "temp_dir.h"

#include <Poco/JSON/Parser.h>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

struct Fixture {
    TempDir directory;
    OrderServer server{directory.path() / "orders.db"};

    /// It still serves, has stored just these orders, and ends with 0.
    void checkUnharmed(std::size_t orders) const {
        CHECK(server.admin("/healthz").status == 200);
        CHECK(server.order().status == 202);
        server.signal(SIGTERM);
        CHECK(server.waitForExit(20s).code == 0);
        CHECK(OrdersFile(directory.path() / "orders.db").rows().size() == orders + 1);
    }
};

std::string repeated(const std::string& text, int times) {
    std::string result;
    for (int i = 0; i < times; ++i) {
        result += text;
    }
    return result;
}

/// What the server answers to raw bytes; 0 if it only closes.
int statusOf(int port, const std::string& bytes) {
    Connection connection = Connection::to(port);
    connection.send(bytes);
    connection.halfClose();
    return connection.readResponse(10s).status;
}

} // namespace

TEST_CASE("04: what is no order is answered 400 with the reason as JSON") {
    const Fixture fixture;
    const std::vector<std::string> bodies{
        "", " ", "{", "}", "[]", "5", "null", "\"tea\"", "tea", "{}", "\xff\xfe", std::string("\0\0", 2),
        R"({"item":"tea"})", R"({"quantity":1})", R"({"item":"","quantity":1})", R"({"item":null,"quantity":1})",
        R"({"item":5,"quantity":1})", R"({"item":["tea"],"quantity":1})", R"({"item":{},"quantity":1})",
        R"({"item":"tea","quantity":null})", R"({"item":"tea","quantity":true})", R"({"item":"tea","quantity":"1"})",
        R"({"item":"tea","quantity":1.0})", R"({"item":"tea","quantity":1e3})", R"({"item":"tea","quantity":0})",
        R"({"item":"tea","quantity":-1})", R"({"item":"tea","quantity":1000001})", R"({"item":"tea","quantity":[1]})",
        R"({"item":"tea","quantity":9223372036854775808})", R"({"item":"tea","quantity":18446744073709551617})",
        R"({"item":"tea","quantity":99999999999999999999999999})", R"({"item":"tea","quantity":0x10})",
        R"({"item":"tea","quantity":01})", R"({"item":"tea","quantity":+1})", R"({"item":"tea","quantity":NaN})",
        R"({"item":"tea","quantity":1}})", R"({"item":"tea","quantity":1}{"item":"tea","quantity":1})",
        R"({"item":"tea","quantity":1,})", R"({'item':'tea','quantity':1})", R"({"item":"tea","quantity":1,"price":0})",
        R"(/* */{"item":"tea","quantity":1})", R"({"item":"\ud800","quantity":1})",
        "{\"item\":\"\xff\",\"quantity\":1}",
        R"({"item":")" + std::string(201, 'x') + R"(","quantity":1})",
        R"({"item":")" + repeated("\u00fc", 201) + R"(","quantity":1})",
        std::string(60'000, '['), repeated(R"({"a":)", 10'000), repeated("[", 1000) + repeated("]", 1000),
        std::string(60'000, '\0'), std::string(60'000, '9'),
        R"({"item":"tea","quantity":)" + std::string(60'000, '9') + "}"};
    for (const std::string& body : bodies) {
        CAPTURE(body.substr(0, 80));
        const Response answer = fixture.server.post(body);
        CHECK(answer.status == 400);
        CHECK(answer.header("Content-Type") == "application/json");
        CHECK(answer.body.find("{\"error\":\"") == 0);
        CHECK_NOTHROW(Poco::JSON::Parser().parse(answer.body));
    }
    fixture.checkUnharmed(0);
}

TEST_CASE("04: orders at the limits are taken") {
    const Fixture fixture;
    const std::vector<std::string> bodies{
        R"({"item":"x","quantity":1})", R"({"quantity":1000000,"item":"tea"})",
        " {\"item\" : \"tea\",\n\"quantity\" : 1}\n",
        R"({"item":")" + std::string(200, 'x') + R"(","quantity":1})",
        R"({"item":")" + repeated("\u00fc", 200) + R"(","quantity":1})", R"({"item":"\"\\\/\n\u00e9","quantity":1})",
        R"({"item":"'); DROP TABLE orders; --","quantity":1})", R"({"item":"a\u0000b","quantity":1})",
        std::string(60'000, ' ') + R"({"item":"tea","quantity":1})"};
    for (const std::string& body : bodies) {
        CAPTURE(body.substr(0, 80));
        CHECK(fixture.server.post(body).status == 202);
    }
    fixture.checkUnharmed(bodies.size());
}

TEST_CASE("04: a body of more than 64 KiB is answered 413 however it is sent") {
    const Fixture fixture;
    const int port = fixture.server.port();
    CHECK(fixture.server.post(std::string(64 * 1024, ' ')).status == 400);
    CHECK(fixture.server.post(std::string(64 * 1024 + 1, ' ')).status == 413);
    CHECK(fixture.server.post(std::string(1'000'000, 'x')).status == 413);
    // announced and never sent
    CHECK(statusOf(port, "POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000000000000\r\n\r\n") == 413);
    // in chunks
    CHECK(statusOf(port, "POST /orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
                             repeated("4000\r\n" + std::string(0x4000, 'x') + "\r\n", 5) + "0\r\n\r\n") == 413);
    fixture.checkUnharmed(0);
}

TEST_CASE("04: requests that lie about their body are refused and store nothing") {
    const Fixture fixture;
    const int port = fixture.server.port();
    const std::string order = R"({"item":"tea","quantity":1})";
    const auto post = [&](const std::string& headers, const std::string& body) {
        return statusOf(port, "POST /orders HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body);
    };
    CHECK(post("Content-Length: 100\r\n", order) == 400); // ends early, though it looks whole
    CHECK(post("Transfer-Encoding: chunked\r\n", "1b\r\n" + order + "\r\n") == 400); // its last chunk is missing
    CHECK(post("", order) == 400);                        // no length: no body
    CHECK(post("Content-Length: 0\r\n", "") == 400);
    for (const std::string length : {"-1", "abc", "99999999999999999999999", "0x10", ""}) {
        CAPTURE(length);
        CHECK(post("Content-Length: " + length + "\r\n", order) != 202);
    }
    CHECK(post("Transfer-Encoding: chunked\r\n", "zz\r\n" + order + "\r\n0\r\n\r\n") != 202);
    fixture.checkUnharmed(0);
}

TEST_CASE("04: no endpoint of either server is harmed by strange requests") {
    const Fixture fixture;
    for (const int port : {fixture.server.port(), fixture.server.adminPort()}) {
        for (const std::string path :
             {"/", "/hello", "/orders", "/readyz", "/healthz", "/drainz", "/events", "/metrics"}) {
            CAPTURE(port, path);
            const std::vector<std::string> requests{
                "GET " + path + "/" + std::string(100'000, 'x') + " HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET " + path + "?" + std::string(3'000, '%') + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
                "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
                "PO\x01ST " + path + " HTTP/1.1\r\n\r\n",
                "GET " + path + "\xff\xfe\x01 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                std::string("\0\1\2\3\r\n\r\n", 8),
                "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", // a TLS client
                "GET " + path + "\r\n\r\n",
                "GET " + path + " HTTP/1.1\r\n" + repeated("X: y\r\n", 10'000) + "\r\n",
            };
            for (const std::string& request : requests) {
                const int status = statusOf(port, request);
                CHECK((status == 0 || (status >= 200 && status < 600 && status != 202)));
            }
        }
    }
    fixture.checkUnharmed(0);
}

TEST_CASE("04: drainz and events stay JSON whatever path a client has sent") {
    const Fixture fixture;
    std::vector<Connection> clients;
    for (const std::string path :
         {"/hello?work=10m&\"\\</script>", "/hello?work=10m&\xfe\xc3\x28\x80", "/hello?work=10m&'<!--"}) {
        clients.push_back(Connection::to(fixture.server.port()));
        clients.back().send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    REQUIRE(eventually([&] { return fixture.server.events("request.begin").size() >= 3; }, 10s));
    const Response answer = fixture.server.admin("/drainz");
    CHECK_NOTHROW(Poco::JSON::Parser().parse(answer.body));
    for (const char byte : answer.body) {
        CHECK((byte == '\n' || (byte >= 0x20 && byte < 0x7f)));
    }
    CHECK(fixture.server.admin("/metrics").status == 200);
}

TEST_CASE("04: orders and other methods and paths are told apart") {
    const Fixture fixture;
    for (const std::string method : {"GET", "HEAD", "PUT", "DELETE"}) {
        Connection client = Connection::to(fixture.server.port());
        client.send(httpRequest(method, "/orders", {{"Connection", "close"}}));
        const Response answer = client.readResponse(5s, method != "HEAD");
        CHECK(answer.status == 405);
        CHECK(answer.header("Allow") == "POST");
    }
    CHECK(get(fixture.server.port(), "/orders/1").status == 404);
    CHECK(get(fixture.server.port(), "/hello?work=0s").body == "hello\n");
    CHECK(get(fixture.server.port(), "/hello?work=soon").status == 400);
    CHECK(get(fixture.server.port(), "/readyz").body == "ready\n");
    fixture.checkUnharmed(0);
}
