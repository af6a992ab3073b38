/// \file
/// Stopping work from another thread. Part of armillaria.hpp.
#pragma once

#include <armillaria/detail.hpp>
#include <utility>

namespace armillaria {

/// Stops the work that was given it, from any thread: that work then fails with `CANCELLED`. One token may be given to
/// any number of operations. Operations only borrow it for the call; streams that they returned keep obeying it, also
/// after it is gone.
class CancelToken {
 public:
  CancelToken() {
    detail::check_abi();
    handle_.reset(armillaria_cancel_new());
  }

  /// Cancels, for good. Any thread.
  void cancel() const noexcept { armillaria_cancel_cancel(handle_.get()); }

  /// Whether it was cancelled. Any thread.
  bool is_cancelled() const noexcept { return armillaria_cancel_is_cancelled(handle_.get()); }

  /// The C handle, borrowed.
  const ArmillariaCancel *get() const noexcept { return handle_.get(); }

 private:
  detail::Owned<ArmillariaCancel, armillaria_cancel_free> handle_;
};

namespace detail {

inline const ArmillariaCancel *handle_of(const CancelToken *token) noexcept {
  return token == nullptr ? nullptr : token->get();
}

}  // namespace detail
}  // namespace armillaria
