// SPDX-License-Identifier: BSD-2-Clause
#include "bench/sets/mmap_trace.h"

#include <algorithm>
#include <map>

#include "bench/check/oracle.h"
#include "bench/sets/line_reader.h"
#include "bench/sets/proc_maps.h"

namespace bench
{

// The unit in which the kernel maps on the machines that traces come from.
constexpr uint64_t kPage = 4096;

namespace
{

using Words = std::vector<std::string_view>;

// Turns events into stores and carves of one key space, following it with an oracle.
class TraceReader
{
  public:
    explicit TraceReader(RangeSet *set) : set_(set)
    {
    }

    // What is wrong with the line, or nothing.
    const char *event(const Words &words);
    void finish();

  private:
    struct Space {
        uint64_t base = 0;
        uint64_t heap_end = 0; // 0: not known yet
    };
    struct Span {
        uint64_t start, last;
    };

    const char *map(const Words &words);
    const char *unmap(const Words &words);
    const char *protect(const Words &words);
    const char *move(const Words &words);
    const char *brk(const Words &words);
    const char *exec();
    const char *child(const Words &words, bool shares);

    Space &space();
    size_t new_space();
    bool parse_span(std::string_view address, std::string_view length, Span *span);
    void store(Span span, const std::string &label);
    void carve(Span span);
    Ranges pieces(Span span) const;

    RangeSet *set_;
    Oracle oracle_;
    std::vector<Space> spaces_;
    std::map<uint64_t, size_t> space_of_; // process -> index of its space
    uint64_t process_ = 0;
};

} // namespace

size_t TraceReader::new_space()
{
    Space space;
    space.base = static_cast<uint64_t>(spaces_.size()) << kAddressBits;
    spaces_.push_back(space);
    return spaces_.size() - 1;
}

// The space of the process of this event; a process that was never seen begins with an empty one.
TraceReader::Space &TraceReader::space()
{
    auto found = space_of_.find(process_);
    if (found == space_of_.end())
        found = space_of_.emplace(process_, new_space()).first;
    return spaces_[found->second];
}

bool TraceReader::parse_span(std::string_view address, std::string_view length, Span *span)
{
    uint64_t bytes;
    if (!parse_number(address, &span->start) || !parse_number(length, &bytes))
        return false;
    if (bytes == 0 || span->start > kAddressMask || bytes > kAddressMask - span->start)
        return false;
    uint64_t pages = (bytes + kPage - 1) / kPage;
    span->last = std::min(span->start + pages * kPage - 1, kAddressMask) | space().base;
    span->start |= space().base;
    return true;
}

void TraceReader::store(Span span, const std::string &label)
{
    Range range = {span.start, span.last, set_->labels.size()};
    set_->labels.push_back(std::to_string(process_) + " " + label);
    set_->actions.push_back({Action::kStore, range});
    oracle_.store(range);
}

void TraceReader::carve(Span span)
{
    set_->actions.push_back({Action::kCarve, {span.start, span.last, 0}});
    oracle_.carve(span.start, span.last);
}

// What is mapped in `span`, cut to it.
Ranges TraceReader::pieces(Span span) const
{
    Ranges pieces;
    const Range *range = oracle_.overlap(span.start, span.last);
    while (range != nullptr && range->start <= span.last) {
        pieces.push_back(
            {std::max(range->start, span.start), std::min(range->last, span.last), range->value});
        range = oracle_.next(range->last);
    }
    return pieces;
}

const char *TraceReader::map(const Words &words)
{
    Span span;
    if (words.size() != 5 || !parse_span(words[2], words[3], &span))
        return "is not map ADDRESS LENGTH rwx";
    store(span, std::string(words[4]));
    return nullptr;
}

const char *TraceReader::unmap(const Words &words)
{
    Span span;
    if (words.size() != 4 || !parse_span(words[2], words[3], &span))
        return "is not unmap ADDRESS LENGTH";
    carve(span);
    return nullptr;
}

const char *TraceReader::protect(const Words &words)
{
    Span span;
    if (words.size() != 5 || !parse_span(words[2], words[3], &span))
        return "is not protect ADDRESS LENGTH rwx";
    for (const Range &piece : pieces(span))
        store({piece.start, piece.last}, std::string(words[4]));
    return nullptr;
}

const char *TraceReader::move(const Words &words)
{
    Span from, to;
    uint64_t start, length;
    bool keep = words.size() == 7 && words[6] == "keep"; // then the old length may be 0
    bool has_old = keep ? parse_number(words[2], &start) && parse_number(words[3], &length)
                        : words.size() == 6 && parse_span(words[2], words[3], &from);
    if (!has_old || !parse_span(words[4], words[5], &to))
        return "is not move OLD LENGTH NEW LENGTH";
    if (!keep)
        carve(from);
    store(to, "moved");
    return nullptr;
}

const char *TraceReader::brk(const Words &words)
{
    uint64_t end;
    if (words.size() != 3 || !parse_number(words[2], &end) || end == 0 || end > kAddressMask)
        return "is not brk ADDRESS";
    Space &now = space();
    uint64_t before = now.heap_end;
    now.heap_end = end;
    if (before != 0 && end > before)
        store({now.base | before, now.base | (end - 1)}, "heap");
    else if (before != 0 && end < before)
        carve({now.base | end, now.base | (before - 1)});
    return nullptr;
}

// The process gets a new space; the old one is gone unless another process shares it.
const char *TraceReader::exec()
{
    auto mine = space_of_.find(process_);
    if (mine != space_of_.end()) {
        size_t old = mine->second;
        auto uses_old = [old](const auto &entry) { return entry.second == old; };
        if (std::count_if(space_of_.begin(), space_of_.end(), uses_old) == 1)
            carve({spaces_[old].base, spaces_[old].base | kAddressMask});
    }
    space_of_[process_] = new_space();
    return nullptr;
}

const char *TraceReader::child(const Words &words, bool shares)
{
    uint64_t child;
    if (words.size() != 3 || !parse_number(words[2], &child))
        return "names no child process";
    Space parent = space();
    if (shares) {
        space_of_[child] = space_of_[process_];
        return nullptr;
    }
    size_t copy = new_space();
    spaces_[copy].heap_end = parent.heap_end;
    space_of_[child] = copy;
    for (const Range &piece : pieces({parent.base, parent.base | kAddressMask})) {
        uint64_t base = spaces_[copy].base;
        store({(piece.start & kAddressMask) | base, (piece.last & kAddressMask) | base}, "forked");
    }
    return nullptr;
}

const char *TraceReader::event(const Words &words)
{
    if (words.size() < 2 || !parse_number(words[0], &process_))
        return "is not PROCESS EVENT ...";
    if (spaces_.size() >= UINT64_MAX >> kAddressBits)
        return "is more than 65535 address spaces into the trace";
    std::string_view kind = words[1];
    if (kind == "map")
        return map(words);
    if (kind == "unmap")
        return unmap(words);
    if (kind == "protect")
        return protect(words);
    if (kind == "move")
        return move(words);
    if (kind == "brk")
        return brk(words);
    if (kind == "exec")
        return exec();
    if (kind == "fork" || kind == "thread")
        return child(words, kind == "thread");
    return "names an unknown event";
}

void TraceReader::finish()
{
    set_->ranges = oracle_.ranges();
    auto is_store = [](const Action &action) { return action.kind == Action::kStore; };
    auto stores = std::count_if(set_->actions.begin(), set_->actions.end(), is_store);
    auto carves = static_cast<std::ptrdiff_t>(set_->actions.size()) - stores;
    set_->notes.push_back(std::to_string(space_of_.size()) + " threads and processes, " +
                          std::to_string(spaces_.size()) + " address spaces: " + std::to_string(stores) +
                          " stores and " + std::to_string(carves) + " carves");
}

RangeSet load_mmap_trace(const std::string &name, const std::string &path)
{
    LineReader lines(path);
    if (!lines.error().empty())
        return skipped_set(name, path, lines.error());
    RangeSet set;
    set.name = name;
    set.source = path;
    TraceReader reader(&set);
    std::string_view line;
    while (lines.next(&line)) {
        if (line.empty())
            continue;
        if (line[0] == '#') {
            if (line.substr(0, 11) == "# command: ")
                set.notes.emplace_back(line.substr(2));
            continue;
        }
        if (const char *why = reader.event(split_words(line)))
            lines.malformed(why);
    }
    set.malformed = lines.malformed_count();
    reader.finish();
    if (set.ranges.empty())
        set.skipped = "leaves nothing mapped";
    return set;
}

} // namespace bench
