// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
#include "lib/write_queue.h"

#include <new>
#include <utility>

namespace pat {

// Ends a group's turn, whatever happens in it.
class WriteQueue::Leading {
 public:
  Leading(WriteQueue* queue, Member* leader)
      : queue_(queue), leader_(leader), group_(queue->TakeGroup()) {
    for (Member* m = group_; m != nullptr; m = m->next) {
      m->result = absl::Status(absl::StatusCode::kResourceExhausted, "");  // unless it gets one
    }
  }
  ~Leading() { queue_->Finish(group_, leader_); }
  Leading(const Leading&) = delete;
  Leading& operator=(const Leading&) = delete;

  Member* group() { return group_; }

 private:
  WriteQueue* const queue_;
  Member* const leader_;
  Member* const group_;
};

absl::Status WriteQueue::Run(Member* member, Clock::time_point deadline,
                             absl::FunctionRef<void(Member* group)> commit) {
  {
    std::unique_lock<std::mutex> lock(mutex_);
    (first_ == nullptr ? first_ : last_->next) = member;
    last_ = member;
    if (!led_) {
      led_ = true;
      member->state = Member::State::kLeads;
    }
    while (member->state == Member::State::kWaiting) {
      if (member->wake.wait_until(lock, deadline) == std::cv_status::timeout && Remove(member)) {
        return absl::UnavailableError(
            "another thread is writing to the store and does not finish; nothing was changed");
      }
    }
    // Its change is in somebody's transaction: only the outcome can tell.
    while (member->state == Member::State::kTaken) member->wake.wait(lock);
    if (member->state == Member::State::kDone) return std::move(member->result);
  }
  try {
    Leading leading(this, member);
    commit(leading.group());
  } catch (const std::bad_alloc&) {  // the leader, too, has a result, and that may be OK
  }
  return std::move(member->result);
}

// A leader is always the first in the queue: it came to an empty one, or was told as the first.
WriteQueue::Member* WriteQueue::TakeGroup() {
  const std::lock_guard<std::mutex> lock(mutex_);
  Member* const group = first_;
  first_ = last_ = nullptr;
  for (Member* m = group->next; m != nullptr; m = m->next) m->state = Member::State::kTaken;
  return group;
}

void WriteQueue::Finish(Member* group, const Member* leader) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (Member* m = group; m != nullptr;) {
    Member* const next = m->next;  // done, it may be gone at once
    if (m != leader) {
      m->state = Member::State::kDone;
      m->wake.notify_one();  // under the lock: the condition lives as long as its owner waits
    }
    m = next;
  }
  led_ = first_ != nullptr;
  if (!led_) return;
  first_->state = Member::State::kLeads;
  first_->wake.notify_one();
}

int WriteQueue::waiting() {
  const std::lock_guard<std::mutex> lock(mutex_);
  int n = 0;
  for (const Member* m = first_; m != nullptr; m = m->next) ++n;
  return n;
}

bool WriteQueue::Remove(const Member* member) {
  if (member->state != Member::State::kWaiting) return false;
  Member* before = nullptr;
  for (Member* m = first_; m != member; m = m->next) before = m;
  (before == nullptr ? first_ : before->next) = member->next;
  if (last_ == member) last_ = before;
  return true;
}

}  // namespace pat
