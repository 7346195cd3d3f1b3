#include "http/loop/handshakes.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>

namespace lifecycle::http {
namespace {

// TCP_SYN_RECV, and what the kernel calls the same before there is a socket (TCP_NEW_SYN_RECV).
constexpr unsigned halfOpen = 1U << TCP_SYN_RECV | 1U << 12;

bool send(int netlink, std::uint8_t family, std::uint32_t sequence) {
    struct {
        nlmsghdr header;
        inet_diag_req_v2 request;
    } question{};
    question.header.nlmsg_len = sizeof question;
    question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    question.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    question.header.nlmsg_seq = sequence;
    question.request.sdiag_family = family;
    question.request.sdiag_protocol = IPPROTO_TCP;
    question.request.idiag_states = halfOpen;
    return ::send(netlink, &question, sizeof question, 0) == sizeof question;
}

Handshakes readAnswer(int netlink, std::uint32_t sequence, std::uint16_t port) {
    alignas(nlmsghdr) std::array<char, 32 * 1024> answer;
    Handshakes found = Handshakes::none;
    for (;;) {
        const ssize_t size = ::recv(netlink, answer.data(), answer.size(), 0);
        if (size <= 0) {
            return Handshakes::unknown;
        }
        auto rest = static_cast<unsigned>(size);
        for (auto* message = reinterpret_cast<nlmsghdr*>(answer.data()); NLMSG_OK(message, rest);
             message = NLMSG_NEXT(message, rest)) {
            if (message->nlmsg_seq != sequence) {
                continue;
            }
            if (message->nlmsg_type == NLMSG_DONE) {
                return found;
            }
            if (message->nlmsg_type == NLMSG_ERROR) {
                return Handshakes::unknown;
            }
            const auto* entry = static_cast<const inet_diag_msg*>(NLMSG_DATA(message));
            if (ntohs(entry->id.idiag_sport) == port) {
                found = Handshakes::underWay;
            }
        }
    }
}

}  // namespace

HandshakeQuery::HandshakeQuery()
    : netlink_(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)) {
    const timeval limit{0, 20'000};  // the kernel answers within the send; this is for surprises
    ::setsockopt(netlink_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

Handshakes HandshakeQuery::ask(std::uint8_t family, std::uint16_t port) {
    ++sequence_;
    return netlink_ && send(netlink_.get(), family, sequence_) ? readAnswer(netlink_.get(), sequence_, port)
                                                               : Handshakes::unknown;
}

Handshakes HandshakeQuery::to(std::uint16_t port, bool alsoIpv6) {
    const Handshakes overIpv4 = ask(AF_INET, port);
    return overIpv4 == Handshakes::none && alsoIpv6 ? ask(AF_INET6, port) : overIpv4;
}

}  // namespace lifecycle::http
