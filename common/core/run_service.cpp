#include "lifecycle/run_service.h"

#include <exception>

#include <Poco/Exception.h>

#include "lifecycle/error_line.h"
#include "lifecycle/exit_code.h"

namespace lifecycle {

int runService(std::string_view program, const std::function<int(ShutdownSignals&, EventLog&)>& service,
               const ShutdownSignalsOptions& options) {
    try {
        EventLog events;
        ShutdownSignals signals(events, options);
        return service(signals, events);
    } catch (const Poco::Exception& error) {
        printError(program, error.displayText());
    } catch (const std::exception& error) {
        printError(program, error.what());
    }
    return exitUnavailable;
}

}  // namespace lifecycle
