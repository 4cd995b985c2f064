//===- Signals.cpp - ends by signals leave nothing behind -----------------===//

#include "tools/common/Signals.h"

#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "runtime/core/temporary_files.h"

namespace gsa {
namespace {

// The handler may only set the one and post the other; a thread does the rest.
std::atomic<int> endingSignal{0};
sem_t endingPosted;

static_assert(std::atomic<int>::is_always_lock_free,
              "a signal handler may use no lock");

void onEndingSignal(int number) {
  const int saved = errno;
  endingSignal = number;
  sem_post(&endingPosted);
  errno = saved;
}

void doNothing(int) {}

[[noreturn]] void endWhenPosted() {
  while (sem_wait(&endingPosted) != 0) {
  }
  EndTemporaries();
  const int number = endingSignal;
  signal(number, SIG_DFL);
  kill(getpid(), number);
  while (true) pause();
}

}  // namespace

void cleanUpOnSignals() {
  sem_init(&endingPosted, /*pshared=*/0, 0);
  std::thread(endWhenPosted).detach();
  struct sigaction action = {};
  sigemptyset(&action.sa_mask);
  for (int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before = {};
    sigaction(number, nullptr, &before);
    if (before.sa_handler == SIG_IGN) continue;  // nohup
    action.sa_handler = onEndingSignal;
    action.sa_flags = SA_RESTART | SA_RESETHAND;
    sigaction(number, &action, nullptr);
  }
  // Handlers and not SIG_IGN, which child processes would inherit.
  for (int number : {SIGPIPE, SIGXFSZ}) {
    action.sa_handler = doNothing;
    action.sa_flags = SA_RESTART;
    sigaction(number, &action, nullptr);
  }
}

void waitIfEnding() {
  while (endingSignal != 0) pause();
}

}  // namespace gsa
