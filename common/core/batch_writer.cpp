#include "lifecycle/batch_writer.h"

#include "core/quiet_thread.h"

namespace lifecycle::detail {

std::thread startBatchWriterThread(std::function<void()> run) {
    return startQuietThread("batch-writer", std::move(run));
}

}  // namespace lifecycle::detail
