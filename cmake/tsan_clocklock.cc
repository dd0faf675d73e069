// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// For the tsan build: clang 14's ThreadSanitizer knows pthread_mutex_timedlock, but takes a mutex
// that pthread_mutex_clocklock has locked for an unlocked one.
#include <pthread.h>

#include <ctime>

namespace {

constexpr long kSecond = 1000000000;

timespec Now(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now;
}

}  // namespace

extern "C" int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                                       const timespec* until) {
  const timespec here = Now(clock);
  const timespec real = Now(CLOCK_REALTIME);
  const long ns = real.tv_nsec + until->tv_nsec - here.tv_nsec;  // more than -1 s, less than 2 s
  timespec then{real.tv_sec + until->tv_sec - here.tv_sec - 1 + (ns + kSecond) / kSecond,
                (ns + kSecond) % kSecond};
  return pthread_mutex_timedlock(mutex, &then);
}
