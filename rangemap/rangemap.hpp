// SPDX-License-Identifier: BSD-2-Clause
/*
 * rangemap for C++17 and later: a header over rangemap.h, which remains the reference for what each call does, how
 * far it gets without waiting, and where it may be called. The namespace is rangemapxx, since `rangemap` is a type of
 * C's.
 *
 *   rangemapxx::map<std::shared_ptr<Region>> map;   // or map<Region *>, whose values nobody owns; or map<int>
 *   map.insert(0x1000, 0x1fff, region);
 *   for (auto [start, last, value] : map.read()) {   // a read section, in which value is a Region *
 *       ...
 *   }
 *
 * VALUES
 *
 *   map<V> holds words: V is trivially copyable and no larger than a pointer. Pointers are not owned.
 *   map<std::shared_ptr<T>> owns its values: each range holds a reference until after the last reader who could see
 *   it. Each insert allocates a box for it. Results outside of sections are copies, a std::shared_ptr<T>; inside they
 *   are T *.
 *
 * ERRORS
 *
 *   What can fail takes an `on_error` last. Without one it throws: std::bad_alloc, else std::system_error. With a
 *   std::error_code there it sets that (also to "none"), throws nothing, and returns as if nothing was found. A key
 *   that no range holds, or a range in the way, is an answer and no error. Nothing is lost when a call fails.
 *
 * COST
 *
 *   Lookups cost what the calls of C cost: test/cpp/calls.cc has less than 0.5 % more instructions with gcc 12 and
 *   with clang 14 (//packaging/test:cpp_test). One exception: lookup() returns its answer in registers, and gcc
 *   copies that to a variable that is const as a whole. So after `const auto value = map.lookup(key)` it tests a flag
 *   that it knew, seven instructions a call and 2 % of that program; after `auto value` it does not. The variable is
 *   the caller's, and nothing here can help it. Entries (find(), next() and the like) and clang have no such
 *   difference.
 *
 * Callbacks run inside the library, which is C: one that throws ends the program (std::terminate).
 *
 * It has more than 400 lines because its users copy one file.
 */
#ifndef RANGEMAP_RANGEMAP_HPP
#define RANGEMAP_RANGEMAP_HPP

#if !defined(__cplusplus) || __cplusplus < 201703L
#error "rangemap.hpp needs C++17 or later; rangemap.h serves any C++"
#endif

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "rangemap.h" /* the one beside this header: installed, in the tree, or of the amalgamation */

namespace rangemapxx
{

using key_type = std::uint64_t;

/* ---- errors ---- */

/* Where an error goes: thrown, or into a std::error_code. Made by itself from either. */
class on_error
{
  public:
    on_error() noexcept = default;
    on_error(std::error_code &code) noexcept : code_(&code)
    {
        code.clear();
    }

    /* Takes the result of a call of the C library; true if it is no error. */
    __attribute__((always_inline)) bool operator()(int result) const
    {
        if (__builtin_expect(result >= 0, 1)) {
            return true;
        }
        report(code_, -result);
        return false;
    }

  private:
    /* Out of the way of what is fast, and without the object, so that it need not be in memory. */
    __attribute__((noinline, cold)) static void report(std::error_code *code, int error)
    {
        if (code != nullptr) {
            *code = std::error_code(error, std::generic_category());
        } else if (error == ENOMEM) {
            throw std::bad_alloc();
        } else {
            throw std::system_error(error, std::generic_category(), "rangemap");
        }
    }

    std::error_code *code_ = nullptr;
};

namespace detail
{

/* For destructors, which cannot report: what they cannot undo must not go unnoticed. */
inline void expect(int result, const char *what) noexcept
{
    if (result < 0) {
        std::fprintf(stderr, "rangemapxx: %s: %s\n", what, std::strerror(-result));
        std::terminate();
    }
}

/* True if something was found; false if the result is the one that says no. In one expression with the error, gcc has a
 * "no" leave the hot code, too. */
__attribute__((always_inline)) inline bool found(int result, int no, on_error error)
{
    if (result == 0) {
        return true;
    }
    if (result == no) {
        return false;
    }
    return error(result);
}

/* ---- how values are kept in words ---- */

template <class V> struct values {
    static_assert(std::is_trivially_copyable_v<V> && sizeof(V) <= sizeof(void *),
                  "a value is a std::shared_ptr, or trivially copyable and no larger than a pointer");
    using view = V;
    static constexpr bool owned = false;
    static constexpr bool comparable =
        std::has_unique_object_representations_v<V> || std::is_floating_point_v<V>;

    static void *make(const V &value) noexcept
    {
        if constexpr (std::is_integral_v<V> || std::is_enum_v<V>) {
            return reinterpret_cast<void *>(static_cast<std::uintptr_t>(value));
        } else {
            void *word = nullptr;
            std::memcpy(&word, &value, sizeof value);
            return word;
        }
    }
    static void drop(void *) noexcept
    {
    }
    static V see(void *word) noexcept
    {
        return copy(word);
    }
    static V copy(void *word) noexcept
    {
        if constexpr (std::is_pointer_v<V>) {
            return reinterpret_cast<V>(word);
        } else if constexpr (std::is_integral_v<V> || std::is_enum_v<V>) {
            return static_cast<V>(reinterpret_cast<std::uintptr_t>(word));
        } else {
            uninitialised value;
            std::memcpy(&value, &word, sizeof(V));
            return value.as;
        }
    }

  private:
    union uninitialised {
        char nothing;
        V as;
        uninitialised() noexcept : nothing()
        {
        }
    };
};

/* A box has an owner for each range that holds it: a range cut in two gets one more. */
template <class T> struct values<std::shared_ptr<T>> {
    using view = typename std::shared_ptr<T>::element_type *;
    static constexpr bool owned = true, comparable = true;

    struct box {
        explicit box(const std::shared_ptr<T> &of) noexcept : value(of)
        {
        }
        std::atomic<std::size_t> owners{1};
        std::shared_ptr<T> value;
    };

    /* nullptr: out of memory. */
    static void *make(const std::shared_ptr<T> &value) noexcept
    {
        return new (std::nothrow) box(value);
    }
    static void drop(void *word) noexcept
    {
        delete static_cast<box *>(word);
    }
    static view see(void *word) noexcept
    {
        return static_cast<box *>(word)->value.get();
    }
    static std::shared_ptr<T> copy(void *word) noexcept
    {
        return static_cast<box *>(word)->value;
    }

    static void retain(void *word, void *) noexcept
    {
        /* The caller's own reference keeps it alive: nothing to order. */
        static_cast<box *>(word)->owners.fetch_add(1, std::memory_order_relaxed);
    }
    static void release(void *word, void *) noexcept
    {
        /* Whatever the other owners did with it comes before the end. */
        if (static_cast<box *>(word)->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            drop(word);
        }
    }
};

} /* namespace detail */

/* A range and its value: a copy, or what is valid inside a section. start and last are both inclusive. */
template <class V> struct entry {
    key_type start;
    key_type last;
    V value;
};

struct bounds {
    key_type start;
    key_type last;
};

/* ---- domains ---- */

/* A domain that somebody else owns; by default the default domain. */
class domain_ref
{
  public:
    domain_ref() noexcept = default;
    explicit domain_ref(rangemap_domain *domain) noexcept : domain_(domain)
    {
    }

    rangemap_domain *get() const noexcept
    {
        return domain_;
    }
    void attach(on_error error = {}) const
    {
        error(rangemap_domain_attach(domain_));
    }
    void detach(on_error error = {}) const
    {
        error(rangemap_domain_detach(domain_));
    }
    void synchronize(on_error error = {}) const
    {
        error(rangemap_domain_synchronize(domain_));
    }
    void barrier(on_error error = {}) const
    {
        error(rangemap_domain_barrier(domain_));
    }

    /* True if there may be more to do. */
    bool poll(on_error error = {}) const
    {
        const int result = rangemap_domain_poll(domain_);
        return error(result) && result > 0;
    }

    rangemap_domain_statistics statistics(on_error error = {}) const
    {
        rangemap_domain_statistics result{};
        error(rangemap_domain_stats(domain_, &result));
        return result;
    }

    /* The thread that keeps the domain from reclaiming; tid 0 if none does. */
    rangemap_blocker blocker(on_error error = {}) const
    {
        rangemap_blocker result{};
        error(rangemap_domain_blocker(domain_, &result));
        return result;
    }

    /* Deletes `object`, on any thread, after every section that is open now. If it fails, `object` keeps it. */
    template <class T, class Delete>
    void retire(std::unique_ptr<T, Delete> &&object, on_error error = {}) const
    {
        struct node {
            rangemap_deferred deferred;
            std::unique_ptr<T, Delete> object;
        };
        if (!error(rangemap_domain_attach(domain_))) {
            return;
        }
        node *holder = new (std::nothrow) node{{}, std::move(object)}; /* moved only if there is memory */
        if (!error(holder == nullptr ? -ENOMEM : 0)) {
            return;
        }
        /* The node is what the domain gets a pointer to; the deferred is its first member. */
        detail::expect(rangemap_domain_defer(
                           domain_, &holder->deferred,
                           [](rangemap_deferred *deferred, void *) noexcept {
                               delete reinterpret_cast<node *>(deferred);
                           },
                           nullptr),
                       "defer on an attached thread");
    }

  private:
    rangemap_domain *domain_ = nullptr;
};

/*
 * A domain of one's own. Its maps go first: the destructor ends the program if there are any, or inside a section of
 * it.
 */
class domain : public domain_ref
{
  public:
    /* After an error it is empty, which to a map means the default domain: look at the code first. */
    explicit domain(const rangemap_domain_options &options = {}, on_error error = {})
        : domain_ref(create(options, error))
    {
    }
    domain(domain &&other) noexcept : domain_ref(other)
    {
        static_cast<domain_ref &>(other) = domain_ref();
    }
    domain &operator=(domain &&other) noexcept
    {
        domain_ref mine = *this;
        static_cast<domain_ref &>(*this) = other;
        static_cast<domain_ref &>(other) = mine;
        return *this;
    }
    ~domain()
    {
        if (get() != nullptr) {
            detail::expect(rangemap_domain_destroy(get()), "the end of a domain");
        }
    }

  private:
    static rangemap_domain *create(const rangemap_domain_options &options, on_error error)
    {
        rangemap_domain *result = nullptr;
        error(rangemap_domain_create(&options, &result));
        return result;
    }
};

/* ---- iteration, inside a section or snapshot ---- */

template <class V> class reader;
template <class V> class snapshot;

/*
 * The ranges that share a key with a window, in one direction: an input range, for range-for, algorithms of one pass
 * and std::ranges. It belongs to the reader or snapshot that made it, and must not outlive it.
 */
template <class V, bool Down = false> class entries
{
  public:
    class iterator
    {
      public:
        using iterator_category = std::input_iterator_tag;
        using value_type = entry<typename detail::values<V>::view>;
        using difference_type = std::ptrdiff_t;
        using pointer = const value_type *;
        using reference = value_type;

        iterator() noexcept = default;
        value_type operator*() const noexcept
        {
            return {entry_.start, entry_.last, detail::values<V>::see(entry_.value)};
        }
        iterator &operator++() noexcept
        {
            const int result =
                Down ? rangemap_cursor_previous(cursor_, &entry_) : rangemap_cursor_next(cursor_, &entry_);
            if (result != 0) { /* -ENOENT: in a section there is no other error */
                cursor_ = nullptr;
            }
            return *this;
        }
        iterator operator++(int) noexcept
        {
            iterator before = *this;
            ++*this;
            return before;
        }
        /* All that can be asked of a single pass: whether it has ended. */
        friend bool operator==(const iterator &left, const iterator &right) noexcept
        {
            return left.cursor_ == right.cursor_;
        }
        friend bool operator!=(const iterator &left, const iterator &right) noexcept
        {
            return !(left == right);
        }

      private:
        friend class entries;
        explicit iterator(rangemap_cursor *cursor) noexcept : cursor_(cursor)
        {
            ++*this;
        }
        rangemap_cursor *cursor_ = nullptr;
        rangemap_entry entry_{};
    };

    /* Where the last iteration was, so call it once. */
    iterator begin() noexcept
    {
        return iterator(&cursor_);
    }
    iterator end() const noexcept
    {
        return iterator();
    }

  private:
    friend class reader<V>;
    friend class snapshot<V>;
    entries(const rangemap *map, key_type start, key_type last)
    {
        on_error()(rangemap_cursor_init(&cursor_, map, start, last));
    }
    entries(const rangemap_snapshot *at, key_type start, key_type last)
    {
        on_error()(rangemap_cursor_init_at(&cursor_, at, start, last));
    }
    rangemap_cursor cursor_;
};

namespace detail
{

/* What readers and snapshots have in common: `Self` looks a range up, and starts cursors at source(). */
template <class V, class Self> class view
{
  public:
    using value_view = typename values<V>::view;

    /* For range-for: all ranges upwards. One at a time; use ascending() for several. */
    auto begin()
    {
        all_.emplace(ascending());
        return all_->begin();
    }
    auto end() const noexcept
    {
        return typename entries<V>::iterator();
    }

    /* The ranges that share a key with [start, last], upwards or downwards. */
    entries<V> ascending(key_type start = 0, key_type last = UINT64_MAX) const &
    {
        return static_cast<const Self *>(this)->template walk<false>(start, last);
    }
    entries<V, true> descending(key_type start = 0, key_type last = UINT64_MAX) const &
    {
        return static_cast<const Self *>(this)->template walk<true>(start, last);
    }

    std::optional<entry<value_view>> find(key_type key) const &noexcept
    {
        rangemap_entry found;
        if (static_cast<const Self *>(this)->find_in(key, &found) != 0) {
            return std::nullopt;
        }
        return entry<value_view>{found.start, found.last, values<V>::see(found.value)};
    }

    /* Of a temporary these would be gone before they are looked at. */
    entries<V> ascending(key_type = 0, key_type = 0) const && = delete;
    entries<V, true> descending(key_type = 0, key_type = 0) const && = delete;
    std::optional<entry<value_view>> find(key_type) const && = delete;

  private:
    std::optional<entries<V>> all_;
};

} /* namespace detail */

/*
 * A read section: what was found in it stays valid while it lasts. For the thread that made it, which must not block
 * in it. Made by map<V>::read(); neither copied nor moved.
 */
template <class V> class reader : public detail::view<V, reader<V>>
{
  public:
    explicit reader(const rangemap *map, on_error error = {})
        : map_(error(rangemap_read_begin(map)) ? map : nullptr)
    {
    }
    ~reader()
    {
        if (map_ != nullptr) {
            rangemap_read_end(map_);
        }
    }
    reader(const reader &) = delete;
    reader &operator=(const reader &) = delete;

    /* False: it could not be begun, as the std::error_code tells; nothing may be asked of it. */
    explicit operator bool() const noexcept
    {
        return map_ != nullptr;
    }

    std::optional<typename detail::values<V>::view> lookup(key_type key) const &noexcept
    {
        void *word;
        if (rangemap_lookup_held(map_, key, &word) != 0) {
            return std::nullopt;
        }
        return detail::values<V>::see(word);
    }
    std::optional<typename detail::values<V>::view> lookup(key_type) const && = delete;

  private:
    friend class detail::view<V, reader<V>>;
    int find_in(key_type key, rangemap_entry *found) const noexcept
    {
        return rangemap_find_held(map_, key, found);
    }
    template <bool Down> entries<V, Down> walk(key_type start, key_type last) const
    {
        return {map_, start, last};
    }
    const rangemap *map_;
};

/* A map as it was at one instant, and a read section too. Otherwise as a reader. */
template <class V> class snapshot : public detail::view<V, snapshot<V>>
{
  public:
    explicit snapshot(const rangemap *map, on_error error = {})
        : taken_(error(rangemap_snapshot_begin(map, &at_)))
    {
    }
    ~snapshot()
    {
        if (taken_) {
            rangemap_snapshot_end(&at_);
        }
    }
    snapshot(const snapshot &) = delete;
    snapshot &operator=(const snapshot &) = delete;
    explicit operator bool() const noexcept
    {
        return taken_;
    }

  private:
    friend class detail::view<V, snapshot<V>>;
    int find_in(key_type key, rangemap_entry *found) const noexcept
    {
        return rangemap_snapshot_find(&at_, key, found);
    }
    template <bool Down> entries<V, Down> walk(key_type start, key_type last) const
    {
        return {&at_, start, last};
    }
    rangemap_snapshot at_{};
    bool taken_;
};

/* ---- maps ---- */

template <class V> class map
{
    using values = detail::values<V>;

  public:
    using value_type = V;
    using entry_type = entry<V>;
    using view_type = entry<typename values::view>;

    map() : map(domain_ref())
    {
    }
    explicit map(domain_ref domain, on_error error = {})
    {
        rangemap_options options{};
        options.domain = domain.get();
        if constexpr (values::owned) {
            options.release = values::release;
            options.retain = values::retain;
        }
        error(rangemap_create(&options, &map_));
    }
    /* With callbacks of one's own, such as `split`. Not for owned values, whose callbacks are set here. */
    explicit map(const rangemap_options &options, on_error error = {})
    {
        static_assert(!values::owned, "release and retain of owned values are this header's");
        error(rangemap_create(&options, &map_));
    }
    map(map &&other) noexcept : map_(std::exchange(other.map_, nullptr))
    {
    }
    map &operator=(map &&other) noexcept
    {
        std::swap(map_, other.map_);
        return *this;
    }
    /* As rangemap_destroy(), which must not fail here: not inside a section or callback, if values are owned. */
    ~map()
    {
        detail::expect(rangemap_destroy(map_), "the end of a map");
    }

    rangemap *get() const noexcept
    {
        return map_;
    }
    domain_ref domain() const noexcept
    {
        return domain_ref(rangemap_domain_of(map_));
    }

    /* ---- sections and snapshots ---- */

    [[nodiscard]] reader<V> read(on_error error = {}) const
    {
        return reader<V>(map_, error);
    }
    [[nodiscard]] snapshot<V> snap(on_error error = {}) const
    {
        return snapshot<V>(map_, error);
    }

    /* For assertions in what is to be called inside a section. */
    [[nodiscard]] bool in_section() const noexcept
    {
        return rangemap_in_section(map_) == 1;
    }

    /* ---- lookups: copies, without a section of the caller's ---- */

    [[nodiscard]] std::optional<V> lookup(key_type key, on_error error = {}) const
    {
        if constexpr (values::owned) {
            const auto section = read(error);
            void *word;
            if (!section || rangemap_lookup_held(map_, key, &word) != 0) {
                return std::nullopt;
            }
            return values::copy(word);
        } else {
            void *word;
            if (!detail::found(rangemap_lookup(map_, key, &word), -ENOENT, error)) {
                return std::nullopt;
            }
            return values::copy(word);
        }
    }
    [[nodiscard]] bool contains(key_type key, on_error error = {}) const
    {
        return detail::found(rangemap_lookup(map_, key, nullptr), -ENOENT, error);
    }
    [[nodiscard]] std::optional<entry_type> find(key_type key, on_error error = {}) const
    {
        return ask(error, [&](rangemap_entry *found) { return rangemap_find(map_, key, found); });
    }
    [[nodiscard]] std::optional<entry_type> next(key_type key, on_error error = {}) const
    {
        return ask(error, [&](rangemap_entry *found) { return rangemap_next(map_, key, found); });
    }
    [[nodiscard]] std::optional<entry_type> previous(key_type key, on_error error = {}) const
    {
        return ask(error, [&](rangemap_entry *found) { return rangemap_previous(map_, key, found); });
    }
    [[nodiscard]] std::optional<entry_type> first(on_error error = {}) const
    {
        return ask(error, [&](rangemap_entry *found) { return rangemap_first(map_, found); });
    }
    [[nodiscard]] std::optional<entry_type> last(on_error error = {}) const
    {
        return ask(error, [&](rangemap_entry *found) { return rangemap_last(map_, found); });
    }
    [[nodiscard]] std::optional<entry_type> overlap(key_type start, key_type last, on_error error = {}) const
    {
        return ask(error, [&](rangemap_entry *found) { return rangemap_overlap(map_, start, last, found); });
    }
    [[nodiscard]] bool is_covered(key_type start, key_type last, on_error error = {}) const
    {
        const int result = rangemap_is_covered(map_, start, last);
        return error(result) && result == 1;
    }
    [[nodiscard]] bool is_free(key_type start, key_type last, on_error error = {}) const
    {
        const int result = rangemap_is_free(map_, start, last);
        return error(result) && result == 1;
    }

    /* ---- updates ---- */

    /* False if something is in the way: *conflict (may be nullptr) tells where. */
    bool insert(key_type start, key_type last, const V &value, bounds *conflict, on_error error = {})
    {
        rangemap_entry way;
        const int result =
            give(value, [&](void *word) { return rangemap_insert(map_, start, last, word, &way); });
        if (result == -EEXIST && conflict != nullptr) {
            *conflict = {way.start, way.last};
        }
        return detail::found(result, -EEXIST, error);
    }
    bool insert(key_type start, key_type last, const V &value, on_error error = {})
    {
        return insert(start, last, value, nullptr, error);
    }

    void store(key_type start, key_type last, const V &value, on_error error = {})
    {
        error(give(value,
                   [&](void *word) { return rangemap_store(map_, start, last, word, nullptr, nullptr); }));
    }
    /* Calls displaced(view_type) for each range that it displaced, whole, in ascending order. */
    template <class F, class = std::enable_if_t<std::is_invocable_v<F &, const view_type &>>>
    void store(key_type start, key_type last, const V &value, F &&displaced, on_error error = {})
    {
        auto told = [&](const view_type &was) { displaced(was); }; /* F may be a function */
        error(give(value, [&](void *word) {
            return rangemap_store(map_, start, last, word, tell<decltype(told)>, &told);
        }));
    }

    void carve(key_type start, key_type last, on_error error = {})
    {
        error(rangemap_carve(map_, start, last, nullptr, nullptr));
    }
    template <class F, class = std::enable_if_t<std::is_invocable_v<F &, const view_type &>>>
    void carve(key_type start, key_type last, F &&displaced, on_error error = {})
    {
        auto told = [&](const view_type &was) { displaced(was); };
        error(rangemap_carve(map_, start, last, tell<decltype(told)>, &told));
    }

    /* The range that was erased, if there was one. */
    std::optional<entry_type> erase(key_type key, on_error error = {})
    {
        return ask(error, [&](rangemap_entry *was) { return rangemap_erase(map_, key, was); });
    }
    std::optional<entry_type> erase_exact(key_type start, key_type last, on_error error = {})
    {
        return ask(error, [&](rangemap_entry *was) { return rangemap_erase_exact(map_, start, last, was); });
    }

    /*
     * True if a range with these bounds had the value `expected` and now has `desired`, bit by bit. Not for owned
     * values.
     */
    bool replace(key_type start, key_type last, const V &expected, const V &desired, on_error error = {})
    {
        static_assert(!values::owned, "owned values are told apart by their boxes, which only the map knows");
        static_assert(values::comparable,
                      "values with padding or floating members may be equal and have other bits");
        const int result =
            rangemap_replace(map_, start, last, values::make(expected), values::make(desired), nullptr);
        return result != -ESTALE && detail::found(result, -ENOENT, error);
    }

    /*
     * How many ranges disappeared. Only ranges that hold the same word are joined: of owned values, parts of one
     * range.
     */
    std::uint64_t coalesce(key_type start = 0, key_type last = UINT64_MAX, on_error error = {})
    {
        static_assert(values::comparable,
                      "values with padding or floating members may be equal and have other bits");
        std::uint64_t joined = 0;
        error(rangemap_coalesce(map_, start, last, nullptr, nullptr, &joined));
        return joined;
    }

    /* Fills an empty map with what has start, last and value, sorted and disjoint. */
    template <class Range> void load(const Range &sorted, on_error error = {})
    {
        prepared made;
        int result = made.add(sorted);
        if (result == 0) {
            result = rangemap_load(map_, made.words.data(), made.words.size(), nullptr);
        }
        if (result == 0) {
            made.words.clear(); /* the map's now */
        }
        error(result);
    }

    void reserve(unsigned updates, on_error error = {})
    {
        error(rangemap_reserve(map_, updates));
    }

    /* ---- gaps: the first key of one, unless there is none ---- */

    [[nodiscard]] std::optional<key_type> gap_find(const rangemap_gap_request &request,
                                                   on_error error = {}) const
    {
        key_type start = 0;
        const bool any = detail::found(rangemap_gap_find(map_, &request, &start), -ENOSPC, error);
        return any ? std::optional(start) : std::nullopt;
    }
    [[nodiscard]] std::optional<key_type> gap_allocate(const rangemap_gap_request &request, const V &value,
                                                       on_error error = {})
    {
        key_type start = 0;
        const int result =
            give(value, [&](void *word) { return rangemap_gap_allocate(map_, &request, word, &start); });
        return detail::found(result, -ENOSPC, error) ? std::optional(start) : std::nullopt;
    }

    /* ---- looking inside ---- */

    rangemap_statistics statistics(on_error error = {}) const
    {
        rangemap_statistics result{};
        error(rangemap_stats(map_, &result));
        return result;
    }
    /* Empty if the structure is right, else what is not. */
    std::string validate(on_error error = {}) const
    {
        char message[256] = "";
        const int result = rangemap_validate(map_, message, sizeof message);
        return detail::found(result, -EUCLEAN, error) ? std::string() : std::string(message);
    }

  private:
    /* What is to be loaded, and goes if it is not, also if the caller's own iterator throws. */
    struct prepared {
        std::vector<rangemap_entry> words;

        template <class Range> int add(const Range &sorted)
        {
            try {
                for (const auto &each : sorted) {
                    words.push_back({each.start, each.last, nullptr});
                    words.back().value = values::make(each.value);
                    if (values::owned && words.back().value == nullptr) {
                        return -ENOMEM;
                    }
                }
            } catch (const std::bad_alloc &) {
                return -ENOMEM;
            }
            return 0;
        }
        ~prepared()
        {
            for (const auto &word : words) {
                values::drop(word.value);
            }
        }
    };

    /* Hands a value over to an update, or keeps it if that fails. */
    template <class Update> int give(const V &value, Update &&update)
    {
        void *word = values::make(value);
        if (values::owned && word == nullptr) {
            return -ENOMEM;
        }
        const int result = update(word);
        if (result != 0) {
            values::drop(word);
        }
        return result;
    }

    /* The range that a call of C tells; an owned value is copied inside a section from before the call. */
    template <class Call> std::optional<entry_type> ask(on_error error, Call &&call) const
    {
        rangemap_entry found;
        if constexpr (values::owned) {
            const auto section = read(error);
            if (!section || !detail::found(call(&found), -ENOENT, error)) {
                return std::nullopt;
            }
            return entry_type{found.start, found.last, values::copy(found.value)};
        } else {
            if (!detail::found(call(&found), -ENOENT, error)) {
                return std::nullopt;
            }
            return entry_type{found.start, found.last, values::copy(found.value)};
        }
    }

    template <class F> static void tell(const rangemap_entry *displaced, void *callback) noexcept
    {
        (*static_cast<F *>(callback))(
            view_type{displaced->start, displaced->last, values::see(displaced->value)});
    }

    rangemap *map_ = nullptr;
};

} /* namespace rangemapxx */

#endif
