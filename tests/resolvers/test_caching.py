"""One budget of bytes for several caches: what is counted, what is kept, what is dropped first."""

import random
import threading
from collections import OrderedDict

from resolvers.caching import LARGE_SHARE, LARGEST_SHARE, Cache, CacheBudget

SIZE = 100


def caches(most: int) -> tuple[CacheBudget, Cache[str, str], Cache[str, str]]:
    budget = CacheBudget(most)
    return budget, Cache(budget), Cache(budget)


def test_caches_share_the_budget_and_the_least_recently_used_is_dropped() -> None:
    budget, one, other = caches(LARGE_SHARE * SIZE)
    budget.most_bytes = 3 * SIZE
    for cache, key in ((one, "a"), (other, "b"), (one, "c")):
        _admit(budget, cache, key)
    assert budget.used_bytes == 3 * SIZE

    assert one.get("a") == "a"
    _admit(budget, other, "d")

    assert [one.get("a"), other.get("b"), one.get("c"), other.get("d")] == ["a", None, "c", "d"]
    assert budget.used_bytes == 3 * SIZE
    assert (len(one), len(other)) == (2, 1)


def _admit(budget: CacheBudget, cache: Cache[str, str], key: str) -> None:
    """Keep an entry, whatever its share of the budget."""
    most, budget.most_bytes = budget.most_bytes, LARGE_SHARE * SIZE
    cache.put(key, key, SIZE)
    budget.resize(most)


def test_a_large_entry_is_kept_at_its_second_use_and_a_huge_one_never() -> None:
    budget, cache, other = caches(1_000_000)
    large, huge = 1_000_000 // LARGE_SHARE + 1, 1_000_000 // LARGEST_SHARE + 1

    cache.put("large", "value", large)
    other.put("large", "value", large)
    assert (cache.get("large"), budget.used_bytes) == (None, 0)
    cache.put("large", "value", large)
    assert (cache.get("large"), budget.used_bytes) == ("value", large)
    assert other.get("large") is None

    for _ in range(3):
        cache.put("huge", "value", huge)
        assert cache.get("huge") is None
    assert budget.used_bytes == large


def test_a_large_entry_that_is_expected_again_is_kept_at_once() -> None:
    """A huge one is not."""
    budget, cache, _ = caches(1_000_000)
    large, huge = 1_000_000 // LARGE_SHARE + 1, 1_000_000 // LARGEST_SHARE + 1

    cache.put("large", "value", large, is_expected=True)
    cache.put("huge", "value", huge, is_expected=True)

    assert (cache.get("large"), cache.get("huge")) == ("value", None)
    assert budget.used_bytes == large


def test_entries_used_once_do_not_displace_an_entry_in_use() -> None:
    """Ten times the budget goes by; the hot entry is used between."""
    budget, cache, other = caches(100_000)
    cache.put("hot", "hot", 100)
    for n in range(10_000):
        other.put(str(n), "cold", 100)
        assert budget.used_bytes <= budget.most_bytes
        assert cache.get("hot") == "hot"

    assert budget.used_bytes == 100_000


def test_replaced_grown_and_cleared_entries_are_counted_once() -> None:
    budget, cache, other = caches(1_000_000)
    other.put("b", "other", 50)
    cache.put("a", "first", 100)
    cache.put("a", "second", 300)
    assert (cache.get("a"), budget.used_bytes) == ("second", 350)

    cache.grow("a", 40)
    cache.grow("unknown", 40)
    assert budget.used_bytes == 390

    cache.clear()
    assert (cache.get("a"), other.get("b"), budget.used_bytes) == (None, "other", 50)
    budget.resize(10)
    assert (other.get("b"), budget.used_bytes) == (None, 0)


def test_random_use_agrees_with_a_simple_model() -> None:
    """A plain least-recently-used list of both caches keeps the same entries."""
    chance = random.Random(7)
    budget, one, other = caches(100 * LARGE_SHARE)
    model: OrderedDict[tuple[int, str], int] = OrderedDict()
    held = 0
    for _ in range(20_000):
        which, key = chance.randrange(2), str(chance.randrange(3_000))
        cache = (one, other)[which]
        assert (cache.get(key) is not None) == ((which, key) in model)
        if (which, key) in model:
            model.move_to_end((which, key))
            continue
        size = chance.randrange(1, 100)
        cache.put(key, key, size)
        model[which, key] = size
        held += size
        while held > budget.most_bytes:
            held -= model.popitem(last=False)[1]
    assert budget.used_bytes == held


def test_threads_that_use_and_drop_entries_agree_on_the_bytes() -> None:
    budget, *both = caches(20_000)
    faults: list[BaseException] = []

    def use(seed: int) -> None:
        chance = random.Random(seed)
        try:
            for _ in range(20_000):
                cache, key = chance.choice(both), str(chance.randrange(3_000))
                if cache.get(key) is None:
                    cache.put(key, key, chance.randrange(1, 20))
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=use, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    kept = sum(entry.bytes for cache in both for entry in cache.entries.values())
    assert budget.used_bytes == kept <= budget.most_bytes
