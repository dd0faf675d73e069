// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package pat

// #include <stdlib.h>
// #include <string.h>
// #include "pat/c.h"
// #include "callbacks.h"
//
// // Strings of Go are passed as they are, for the call. A decision comes back by value and the
// // authority goes as a number, which cgo need not check: so neither is allocated.
// typedef uintptr_t go_authority;
//
// static void go_presented(pat_presented* presented, int32_t claim, _GoString_ account,
//                          _GoString_ ip, _GoString_ user_agent, uint64_t need) {
//   const pat_presented made = {
//       .size = sizeof made,
//       .account = _GoStringPtr(account), .account_len = _GoStringLen(account),
//       .ip = _GoStringPtr(ip), .ip_len = _GoStringLen(ip),
//       .user_agent = _GoStringPtr(user_agent), .user_agent_len = _GoStringLen(user_agent),
//       .need = need, .claim = claim};
//   *presented = made;
// }
//
// // What Go wants of a decision: to copy all of it takes as long as the call. On its way it is copied
// // in words of 16 bytes, each of which is written at once: else the next copy would have to wait.
// typedef struct go_decision {
//   uint64_t token_id, permissions;
//   char account[48];  // of a longer one, where it is: free it
//   uint64_t verdict;  // refusal (0: accepted) | method << 32 | origin << 40 | account_len << 48
// } go_decision;
//
// static __attribute__((noinline)) void go_decided(int32_t code, const pat_decision* decision,
//                                                  go_decision* out) {
//   const size_t len = decision->account_len;
//   out->verdict = (uint32_t)decision->refusal;
//   if (code != PAT_OK || decision->accepted != 1 || len > 128) {
//     if (out->verdict == 0) out->verdict = PAT_REFUSAL_UNAVAILABLE;
//     return;
//   }
//   out->verdict |=
//       (uint64_t)decision->method << 32 | (uint64_t)decision->origin << 40 | (uint64_t)len << 48;
//   memcpy(&out->token_id, &decision->token_id, 16);  // and the permissions
//   memcpy(out->account, decision->account, sizeof out->account);
//   if (len <= sizeof out->account) return;
//   char* const account = malloc(len);
//   if (account != NULL) memcpy(account, decision->account, len);
//   memcpy(out->account, &account, sizeof account);
//   if (account == NULL) out->verdict = PAT_REFUSAL_UNAVAILABLE;
// }
//
// static inline go_decision go_verify_as(go_authority authority, _GoString_ text,
//                                        const pat_presented* presented) {
//   pat_decision decision;  // pat_verify fills all of it
//   go_decision out;
//   decision.size = sizeof decision;
//   decision.accepted = decision.refusal = 0;
//   decision.account_len = 0;
//   const int32_t code = pat_verify((pat_authority*)authority, _GoStringPtr(text),
//                                   _GoStringLen(text), presented, &decision);
//   go_decided(code, &decision, &out);
//   return out;
// }
//
// static go_decision go_verify(go_authority authority, _GoString_ text) {
//   return go_verify_as(authority, text, NULL);
// }
//
// static go_decision go_verify_presented(go_authority authority, _GoString_ text, int32_t claim,
//                                        _GoString_ account, _GoString_ ip, _GoString_ user_agent,
//                                        uint64_t need) {
//   pat_presented presented;
//   go_presented(&presented, claim, account, ip, user_agent, need);
//   return go_verify_as(authority, text, &presented);
// }
//
// // The same, for authorities whose clock is Go's: see annotations.go.
// static go_decision go_verify_calling(go_authority authority, _GoString_ text, int32_t claim,
//                                      _GoString_ account, _GoString_ ip, _GoString_ user_agent,
//                                      uint64_t need) {
//   return go_verify_presented(authority, text, claim, account, ip, user_agent, need);
// }
//
// enum { GO_MANY = 64 };  // decisions on the stack
//
// static void go_verify_many(go_authority authority, const char* texts, const size_t* text_lens,
//                            size_t n, int32_t claim, _GoString_ account, _GoString_ ip,
//                            _GoString_ user_agent, uint64_t need, go_decision* out) {
//   pat_presented presented;
//   pat_decision decisions[GO_MANY];
//   go_presented(&presented, claim, account, ip, user_agent, need);
//   while (n != 0) {
//     const size_t some = n < GO_MANY ? n : GO_MANY;
//     decisions[0].size = sizeof *decisions;
//     const int32_t code = pat_verify_many((pat_authority*)authority, texts, text_lens, some,
//                                          &presented, decisions);
//     for (size_t i = 0; i < some; ++i) {
//       go_decided(code, &decisions[i], &out[i]);
//       texts += text_lens[i];
//     }
//     text_lens += some, out += some, n -= some;
//   }
// }
//
// static go_decision go_authenticate(go_authority authority, _GoString_ secret, int32_t claim,
//                                    _GoString_ account, _GoString_ ip, _GoString_ user_agent,
//                                    uint64_t need, int32_t two_factor_enabled, uintptr_t check) {
//   pat_presented presented;
//   pat_decision decision = {.size = sizeof decision};
//   go_decision out;
//   go_presented(&presented, claim, account, ip, user_agent, need);
//   const int32_t code = pat_authenticate(
//       (pat_authority*)authority, _GoStringPtr(secret), _GoStringLen(secret), &presented,
//       two_factor_enabled, pat_go_check, (void*)check, &decision);
//   go_decided(code, &decision, &out);
//   return out;
// }
import "C"

import (
	"runtime/cgo"
	"unsafe"
)

// A Claim is whom a secret is said to belong to. Zero: nothing is said, the token tells the
// account.
type Claim struct {
	kind    int32
	account string
}

// ClaimAccount says that it is this account's: a token of any other is refused.
func ClaimAccount(account string) Claim { return Claim{C.PAT_CLAIM_ACCOUNT, account} }

// ClaimUnknown says that the host does not know the login name: always refused, after the same
// work.
func ClaimUnknown() Claim { return Claim{C.PAT_CLAIM_UNKNOWN, ""} }

// Presented is how a secret is presented.
type Presented struct {
	Claim     Claim
	Need      Permissions // refuse unless all of these are granted
	IP        string      // where from, for "last used"
	UserAgent string
}

// A Method is what somebody came in by.
type Method int32

// The methods.
const (
	ByToken    Method = C.PAT_METHOD_TOKEN
	ByPassword Method = C.PAT_METHOD_PASSWORD
)

// A Principal is who came in. It does not follow a later revocation: do not keep it beyond the
// request.
type Principal struct {
	Account     string
	Method      Method
	Origin      Origin // of the token; 0 for a password
	TokenID     uint64 // 0 for a password
	Permissions Permissions
}

// Require is nil if they have all of need, else a *Refused.
func (p Principal) Require(need Permissions) error {
	if p.Account == "" || !p.Permissions.Has(need) {
		return &Refused{MissingPermission}
	}
	return nil
}

// RequireAccountAdmin is nil if they may administer the account: came in by password, never by
// token.
func (p Principal) RequireAccountAdmin() error {
	if p.Account == "" || p.Method != ByPassword {
		return &Refused{MissingPermission}
	}
	return nil
}

// take is what was decided. It writes each field where it stays: structs of this size are copied
// through memory, in words larger than the fields.
func (p *Principal) take(d *C.go_decision) error {
	if refusal := uint32(d.verdict); refusal != 0 {
		return &Refused{Reason(refusal)}
	}
	if length := int(d.verdict >> 48); length <= len(d.account) {
		p.Account = string(unsafe.Slice((*byte)(unsafe.Pointer(&d.account[0])), length))
	} else {
		p.Account = longAccount(d, length)
	}
	p.Method = Method(d.verdict >> 32 & 0xff)
	p.Origin = Origin(d.verdict >> 40 & 0xff)
	p.TokenID = uint64(d.token_id)
	p.Permissions = Permissions(d.permissions)
	return nil
}

func longAccount(d *C.go_decision, length int) string {
	at := *(**C.char)(unsafe.Pointer(&d.account[0]))
	account := C.GoStringN(at, C.int(length))
	C.free(unsafe.Pointer(at))
	return account
}

func (a *Authority) number() C.go_authority { return C.go_authority(uintptr(unsafe.Pointer(a.c))) }

// Verify judges a presented token. The error is a *Refused, or ErrClosed. The text is judged as it
// is: strip line ends first.
func (a *Authority) Verify(text string, presented Presented) (who Principal, err error) {
	if err = a.enter(); err != nil {
		return
	}
	p, claim, need := &presented, C.int32_t(presented.Claim.kind), C.uint64_t(presented.Need)
	var d C.go_decision
	if a.calls {
		d = C.go_verify_calling(a.number(), text, claim, p.Claim.account, p.IP, p.UserAgent, need)
	} else if claim == 0 && need == 0 && p.IP == "" && p.UserAgent == "" {
		d = C.go_verify(a.number(), text)
	} else {
		d = C.go_verify_presented(a.number(), text, claim, p.Claim.account, p.IP, p.UserAgent, need)
	}
	a.exit() // no panic comes here: a clock's ends the program
	err = who.take(&d)
	return
}

// A Verdict is what Verify returns.
type Verdict struct {
	Principal Principal
	Err       error
}

// VerifyMany judges many texts by one call into C, as Verify would. There are as many verdicts as
// texts.
func (a *Authority) VerifyMany(texts []string, presented Presented) []Verdict {
	n := len(texts)
	verdicts := make([]Verdict, n)
	if n == 0 {
		return verdicts
	}
	if err := a.enter(); err != nil {
		for i := range verdicts {
			verdicts[i].Err = err
		}
		return verdicts
	}
	defer a.exit()
	total := 1 // so that there is a first byte
	for _, text := range texts {
		total += len(text)
	}
	all := make([]byte, 0, total)
	sizes := make([]C.size_t, n)
	for i, text := range texts {
		all = append(all, text...)
		sizes[i] = C.size_t(len(text))
	}
	decisions := make([]C.go_decision, n)
	p := &presented
	C.go_verify_many(a.number(), (*C.char)(unsafe.Pointer(&all[:1][0])), &sizes[0], C.size_t(n),
		C.int32_t(p.Claim.kind), p.Claim.account, p.IP, p.UserAgent, C.uint64_t(p.Need), &decisions[0])
	for i := range all {
		all[i] = 0
	}
	for i := range verdicts {
		verdicts[i].Err = verdicts[i].Principal.take(&decisions[i])
	}
	return verdicts
}

// Authenticate judges what came in a password field. Text that looks like a token is judged as
// one; for any other text check is called, in this goroutine, whatever its answer is used for. For
// an unknown account it must take as long as for a known one and return false. It must not use the
// authority or end the goroutine; if it panics, so does Authenticate.
func (a *Authority) Authenticate(secret string, presented Presented, twoFactorEnabled bool,
	check func(password string) bool) (who Principal, err error) {
	if err = a.enter(); err != nil {
		return
	}
	defer a.exit()
	host := &passwordCheck{fits: check}
	handle := cgo.NewHandle(host)
	defer handle.Delete()
	p := &presented
	d := C.go_authenticate(a.number(), secret, C.int32_t(p.Claim.kind), p.Claim.account, p.IP, p.UserAgent,
		C.uint64_t(p.Need), flag(twoFactorEnabled), C.uintptr_t(handle))
	host.goOn()
	err = who.take(&d)
	return
}
