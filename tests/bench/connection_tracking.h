#pragma once

namespace lifecycle::bench {

/// A kernel with a firewall remembers every connection for two minutes after its end, in a table of
/// limited size. A load of short connections fills it within seconds; then new handshakes are
/// dropped at random, and the figure is one of the table.
///
/// Blocks until there is room for so many connections more, at most three minutes; returns at once
/// where there is no such table. Throws std::runtime_error if there is no room even then.
/// Source: https://docs.kernel.org/networking/nf_conntrack-sysctl.html
void waitForRoomToConnect(long connections);

}  // namespace lifecycle::bench
