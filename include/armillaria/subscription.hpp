/// \file
/// Following the changelog. Part of armillaria.hpp.
#pragma once

#include <armillaria/copy.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>

namespace armillaria {

/// A cursor over the changelog that can wait for what comes next. One thread at a time, except `close`, which any
/// thread may call at any time. Whoever stores the `tx_id` of the last entry handled, and later subscribes with it as
/// `since_tx`, misses nothing and sees nothing twice.
///
///     for (const auto &entry : subscription) handle(entry);  // until somebody calls close()
class Subscription {
 public:
  /// Takes over a handle of the C ABI.
  explicit Subscription(ArmillariaSubscription *handle) noexcept : handle_(handle) {}

  /// The next entry, waiting for it as long as it takes. `CLOSED` after `close`, or when the database was closed;
  /// `CANCELLED`.
  ChangelogEntry next(const CancelToken *cancel = nullptr) {
    for (;;) {
      if (auto entry = next_within(-1, cancel)) return *std::move(entry);
    }
  }

  /// The next entry, waiting for it up to `timeout`; none if none came. Zero (or less) does not wait.
  std::optional<ChangelogEntry> next(std::chrono::milliseconds timeout, const CancelToken *cancel = nullptr) {
    return next_within(timeout.count() < 0 ? 0 : timeout.count(), cancel);
  }
  /// A number is no time. `next(0)` would be a null token, and wait as long as it takes.
  ChangelogEntry next(int timeout, const CancelToken *cancel = nullptr) = delete;

  /// The last transaction that was handed out or passed over.
  std::uint64_t cursor() const {
    std::uint64_t tx_id = 0;
    detail::call(armillaria_subscription_cursor, handle_.get(), &tx_id);
    return tx_id;
  }

  /// Ends it: whoever waits in `next` gets `CLOSED`, and iteration ends. Again does nothing. Any thread.
  void close() const { detail::call(armillaria_subscription_close, handle_.get()); }

  /// Goes over the entries as they come, waiting for each; ends when the subscription or its database is closed.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = ChangelogEntry;
    using difference_type = std::ptrdiff_t;
    using pointer = const ChangelogEntry *;
    using reference = const ChangelogEntry &;

    Iterator() = default;
    explicit Iterator(Subscription *subscription) : subscription_(subscription) { ++*this; }

    const ChangelogEntry &operator*() const noexcept { return *entry_; }
    const ChangelogEntry *operator->() const noexcept { return &*entry_; }
    Iterator &operator++() {
      try {
        entry_ = subscription_->next();
      } catch (const UsageError &error) {
        if (error.code() != Code::closed) throw;
        entry_.reset();
        subscription_ = nullptr;
      }
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(const Iterator &other) const noexcept { return subscription_ == other.subscription_; }
    bool operator!=(const Iterator &other) const noexcept { return subscription_ != other.subscription_; }

   private:
    Subscription *subscription_ = nullptr;
    std::optional<ChangelogEntry> entry_;
  };

  Iterator begin() { return Iterator(this); }
  Iterator end() { return {}; }

  /// The C handle, borrowed.
  ArmillariaSubscription *get() noexcept { return handle_.get(); }

 private:
  std::optional<ChangelogEntry> next_within(std::int64_t timeout_ms, const CancelToken *cancel) {
    const auto entry = detail::obtain<const ArmillariaChangelogEntry, armillaria_changelog_entry_free>(
        armillaria_subscription_next, handle_.get(), timeout_ms, detail::handle_of(cancel));
    return entry == nullptr ? std::nullopt : std::optional<ChangelogEntry>(detail::copy_entry(*entry));
  }

  detail::Owned<ArmillariaSubscription, armillaria_subscription_free> handle_;
};

}  // namespace armillaria
