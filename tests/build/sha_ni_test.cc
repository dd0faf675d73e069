// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// Shows that BoringSSL's SHA-NI code is linked and that SHA256 runs it where the CPU has it: the
// program single-steps itself through one SHA256 call (trap flag, SIGTRAP) and counts the
// sha256rnds2 instructions (0F 38 CB) that are executed. Then, in a child whose OPENSSL_ia32cap
// hides SHA-NI from BoringSSL, the control: none is executed, and the digest is the same.
#include <openssl/sha.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>

namespace {

volatile sig_atomic_t g_steps = 0;
volatile sig_atomic_t g_sha256rnds2 = 0;

// Runs after each instruction while the trap flag is set; rip is at the next one.
void OnStep(int, siginfo_t*, void* context) {
  const auto* at = reinterpret_cast<const unsigned char*>(
      static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
  g_steps = g_steps + 1;
  if (at[0] == 0x0f && at[1] == 0x38 && at[2] == 0xcb) g_sha256rnds2 = g_sha256rnds2 + 1;
}

bool CpuHasShaNi() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & (1U << 29)) != 0;
}

// FIPS 180-2, "abc": one block, so 32 executions of sha256rnds2 (each does two of 64 rounds).
constexpr uint8_t kAbc[SHA256_DIGEST_LENGTH] = {
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
    0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};

// Steps through SHA256("abc"); says whether the digest and the count are as expected.
bool StepThrough(bool expect_sha_ni) {
  struct sigaction action = {};
  action.sa_sigaction = OnStep;
  action.sa_flags = SA_SIGINFO;
  if (sigaction(SIGTRAP, &action, nullptr) != 0) return false;
  uint8_t digest[SHA256_DIGEST_LENGTH] = {};
  const uint8_t text[] = {'a', 'b', 'c'};
  SHA256(text, sizeof(text), digest);  // the CPU's abilities are read before the counting
  memset(digest, 0, sizeof(digest));
  __asm__ volatile("subq $128, %%rsp\n pushfq\n orq $0x100, (%%rsp)\n popfq\n addq $128, %%rsp" ::
                       : "memory", "cc");
  SHA256(text, sizeof(text), digest);
  __asm__ volatile("subq $128, %%rsp\n pushfq\n andq $~0x100, (%%rsp)\n popfq\n addq $128, %%rsp" ::
                       : "memory", "cc");
  const bool right = memcmp(digest, kAbc, sizeof(kAbc)) == 0;
  printf("%d instructions, %d of them sha256rnds2 (expected %d), digest %s\n",
         static_cast<int>(g_steps), static_cast<int>(g_sha256rnds2), expect_sha_ni ? 32 : 0,
         right ? "right" : "WRONG");
  return right && g_steps > 100 && g_sha256rnds2 == (expect_sha_ni ? 32 : 0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "--hidden") == 0) return StepThrough(false) ? 0 : 1;
  const bool has = CpuHasShaNi();
  printf("this CPU %s SHA-NI\n", has ? "has" : "lacks");
  bool ok = StepThrough(has);
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    // "~" clears bits. The first value is CPUID leaf 1, the second leaf 7's EBX: bit 29 is SHA.
    setenv("OPENSSL_ia32cap", "~0:~0x20000000", 1);
    execl("/proc/self/exe", argv[0], "--hidden", static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) ok = false;
  puts(ok ? "OK" : "FAILED");
  return ok ? 0 : 1;
}

#else
int main() {
  puts("SHA-NI belongs to x86-64: nothing to check on this CPU");
  return 0;
}
#endif
