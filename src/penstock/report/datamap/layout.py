"""Where boxes and links of a data map go on a page: columns from left to right, few crossings, straight ways.

Each stage is a band of one or more layers: an asset that another one of its stage feeds stands right of it. Within a
layer, boxes are ordered by where their neighbours are (barycentres, swept both ways), then moved as near to them as the
order allows (pool adjacent violators, the exact least-squares answer). Links that skip layers keep a lane of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from penstock.report.datamap.chart import STAGES, Chart

#: Size of a box: what carries labels shows them on a line of its own.
WIDE, BARE, LABELLED = 184, 44, 64
#: Room between layers of one stage, between stages, between boxes, and around all.
GAP_LAYER, GAP_STAGE, GAP_BOX, EDGE = 36, 64, 12, 24
#: Room that a link takes where it passes between boxes, and above for the headings.
LANE, HEAD = 8, 64
#: Layers of one stage at most: a longer chain of models goes on within the last one.
LAYERS = 3
SWEEPS = 24
#: Links of a box beyond which it says nothing of what belongs together, such as a model that every agent calls.
HUB = 10
#: How much less such a box pulls at where its neighbours stand: it would draw the whole page to its own height.
FROM_HUB = 0.05
#: How much more a link wants to be straight between two lanes, and between a lane and a box, than between two boxes
#: (the weights of Gansner, Koutsofios, North and Vo, A technique for drawing directed graphs, 1993).
BETWEEN_LANES, TO_LANE = 8.0, 2.0


@dataclass(frozen=True, slots=True)
class Band:
    """The column of a stage."""

    stage: str
    title: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Places in pixels: a box's left top corner by id; a link's points from giver to receiver, in the chart's order."""

    width: float
    height: float
    bands: tuple[Band, ...]
    boxes: Mapping[str, tuple[float, float]]
    heights: Mapping[str, float]
    links: tuple[tuple[tuple[float, float], ...], ...]


def layout(chart: Chart) -> Layout:
    """Places for everything on a chart; the same for the same chart."""
    layer = _layers(chart)
    used = sorted(set(layer.values()))
    number = {at: place for place, at in enumerate(used)}
    nodes: list[list[str]] = [[] for _ in used]
    size: dict[str, float] = {}
    for box in chart.boxes:
        nodes[number[layer[box.id]]].append(box.id)
        size[box.id] = LABELLED if box.labels else BARE
    ways = [_way(link.source, link.target, number[layer[link.source]], number[layer[link.target]], place)
            for place, link in enumerate(chart.links)]  # fmt: skip
    for way in ways:
        for at, name in way[1:-1]:
            nodes[at].append(name)
            size[name] = LANE
    hops = [(a[1], b[1]) for way in ways for a, b in pairwise(way)]
    order = _ordered(_together(nodes, hops), hops)
    middle = _heights(order, hops, size)
    x, bands = _columns(used)
    top = min((middle[name] - size[name] / 2 for name in middle), default=0.0)
    low = max((middle[name] + size[name] / 2 for name in middle), default=0.0)
    down = HEAD + EDGE - top
    where = {name: x[at] for at, names in enumerate(order) for name in names}
    return Layout(
        width=(x[-1] + WIDE if x else 0) + EDGE,
        height=low - top + HEAD + 2 * EDGE,
        bands=bands,
        boxes={box.id: (where[box.id], round(middle[box.id] - size[box.id] / 2 + down, 1)) for box in chart.boxes},
        heights={box.id: size[box.id] for box in chart.boxes},
        links=tuple(
            _points(way, where, middle, down)[:: 1 if way[0][1] == link.source else -1]
            for way, link in zip(ways, chart.links, strict=True)
        ),
    )


def _layers(chart: Chart) -> dict[str, tuple[int, int]]:
    """Box → stage and layer within it: behind everything of its own stage that feeds it, circles cut open."""
    stage = {box.id: list(STAGES).index(box.stage) for box in chart.boxes}
    feeds: dict[str, list[str]] = {box.id: [] for box in chart.boxes}
    for link in chart.links:
        if stage[link.source] == stage[link.target]:
            feeds[link.target].append(link.source)
    depth: dict[str, int] = {}
    for box in chart.boxes:
        _deepen(box.id, feeds, depth)
    return {id: (stage[id], min(depth[id], LAYERS - 1)) for id in stage}


def _deepen(start: str, feeds: Mapping[str, Sequence[str]], depth: dict[str, int]) -> None:
    """Longest way to a box within its stage; a link back to a box on the way there is a circle and does not count."""
    todo, open_ = [start], set[str]()
    while todo:
        here = todo[-1]
        if here in depth:
            todo.pop()
            continue
        open_.add(here)
        waiting = [before for before in feeds[here] if before not in depth and before not in open_]
        if waiting:
            todo += waiting
            continue
        depth[here] = max((depth[before] + 1 for before in feeds[here] if before in depth), default=0)
        open_.discard(here)
        todo.pop()


def _way(source: str, target: str, start: int, end: int, link: int) -> list[tuple[int, str]]:
    """The link as a row of places, one a layer, from left to right whichever way it points."""
    (left, first), (right, last) = sorted(((start, source), (end, target)))
    return [(left, first), *((at, f"lane:{link}:{at}") for at in range(left + 1, right)), (right, last)]


def _together(nodes: Sequence[Sequence[str]], hops: Iterable[tuple[str, str]]) -> list[list[str]]:
    """An order to begin with: what hangs together lies side by side; what everything uses holds nothing together."""
    near: dict[str, list[str]] = {name: [] for names in nodes for name in names}
    for one, other in hops:
        near[one].append(other)
        near[other].append(one)
    met: dict[str, int] = {}
    for start in near:
        todo = [start]
        while todo:
            here = todo.pop()
            if here not in met:
                met[here] = len(met)
                if len(near[here]) <= HUB:
                    todo += [other for other in reversed(near[here]) if len(near[other]) <= HUB]
    return [sorted(names, key=met.__getitem__) for names in nodes]


def _ordered(nodes: list[list[str]], hops: Sequence[tuple[str, str]]) -> list[list[str]]:
    """The order of each layer that sweeps over the barycentres of the neighbours lead to."""
    at = {name: layer for layer, names in enumerate(nodes) for name in names}
    left: dict[str, list[str]] = {name: [] for name in at}
    right: dict[str, list[str]] = {name: [] for name in at}
    for one, other in hops:
        if at[one] != at[other]:
            right[one].append(other)
            left[other].append(one)
    order = [list(names) for names in nodes]
    best, fewest = order, _crossings(order, right)
    for sweep in range(SWEEPS):
        near = left if sweep % 2 == 0 else right
        layers = range(1, len(order)) if sweep % 2 == 0 else range(len(order) - 2, -1, -1)
        order = [list(names) for names in order]
        place = {name: n / max(1, len(names) - 1) for names in order for n, name in enumerate(names)}
        for layer in layers:
            wish = {
                name: sum(place[other] for other in near[name]) / len(near[name]) if near[name] else place[name]
                for name in order[layer]
            }
            order[layer].sort(key=wish.__getitem__)
            place |= {name: n / max(1, len(order[layer]) - 1) for n, name in enumerate(order[layer])}
        crossings = _crossings(order, right)
        if crossings < fewest:
            best, fewest = order, crossings
    return best


def _crossings(order: Sequence[Sequence[str]], right: Mapping[str, Sequence[str]]) -> int:
    """How often links cross, summed over neighbouring layers: inversions, counted with a Fenwick tree."""
    total = 0
    for here, beyond in pairwise(order):
        place = {name: n for n, name in enumerate(beyond)}
        ends = [end for name in here for end in sorted(place[other] for other in right[name] if other in place)]
        tree = [0] * (len(beyond) + 1)
        for seen, end in enumerate(ends):
            index, passed = end + 1, 0
            while index:
                passed += tree[index]
                index -= index & -index
            total += seen - passed
            index = end + 1
            while index <= len(beyond):
                tree[index] += 1
                index += index & -index
    return total


def _heights(
    order: Sequence[Sequence[str]], hops: Sequence[tuple[str, str]], size: Mapping[str, float]
) -> dict[str, float]:
    """The middle of each place, as near to its neighbours as its layer's order allows."""
    near: dict[str, list[tuple[str, float]]] = {name: [] for names in order for name in names}
    links = Counter(end for hop in hops for end in hop)
    for one, other in hops:
        lanes = (size[one] == LANE) + (size[other] == LANE)
        weight = (1.0, TO_LANE, BETWEEN_LANES)[lanes]
        if max(links[one], links[other]) > HUB:
            weight *= FROM_HUB
        near[one].append((other, weight))
        near[other].append((one, weight))
    middle: dict[str, float] = {}
    for names in order:  # from the left, so that a short column starts where the long one before it stands
        wishes = [_wish(name, [hop for hop in near[name] if hop[0] in middle], middle) for name in names]
        middle |= zip(names, _apart(names, wishes, size), strict=True)
    for sweep in range(SWEEPS):
        for names in reversed(order) if sweep % 2 == 0 else order:
            wishes = [_wish(name, near[name], middle) for name in names]
            middle |= zip(names, _apart(names, wishes, size), strict=True)
    return middle


def _wish(name: str, near: Sequence[tuple[str, float]], middle: Mapping[str, float]) -> tuple[float, float]:
    """Where a place wants to be, and how much."""
    weight = sum(pull for _, pull in near)
    if not weight:
        return middle.get(name, 0.0), 0.1
    return sum(middle[other] * pull for other, pull in near) / weight, weight


def _apart(names: Sequence[str], wishes: Sequence[tuple[float, float]], size: Mapping[str, float]) -> list[float]:
    """Places nearest to the wishes that keep the order and the room between boxes (pool adjacent violators)."""
    offsets, down = list[float](), 0.0
    for n, name in enumerate(names):
        if n:
            before = size[names[n - 1]]
            down += (before + size[name]) / 2 + (0 if before == size[name] == LANE else GAP_BOX)
        offsets.append(down)
    pools: list[tuple[float, float, int]] = []  # mean, weight and number of members
    for (wish, weight), offset in zip(wishes, offsets, strict=True):
        pools.append((wish - offset, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (one, light, few), (other, heavy, many) = pools[-2:]
            pools[-2:] = [((one * light + other * heavy) / (light + heavy), light + heavy, few + many)]
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _columns(used: Sequence[tuple[int, int]]) -> tuple[list[float], tuple[Band, ...]]:
    """The left of each layer, and the bands of the stages."""
    x, at = list[float](), float(EDGE)
    for number, (stage, _) in enumerate(used):
        if number:
            at += WIDE + (GAP_LAYER if used[number - 1][0] == stage else GAP_STAGE)
        x.append(at)
    bands = []
    for number, (name, title) in enumerate(STAGES.items()):
        mine = [left for left, (stage, _) in zip(x, used, strict=True) if stage == number]
        if mine:
            bands.append(Band(name, title, mine[0], mine[-1] + WIDE - mine[0]))
    return x, tuple(bands)


def _points(
    way: Sequence[tuple[int, str]], where: Mapping[str, float], middle: Mapping[str, float], down: float
) -> tuple[tuple[float, float], ...]:
    """Out of the left box, through its lanes, into the right one."""
    (_, first), *lanes, (_, last) = way
    points = [(where[first] + WIDE, round(middle[first] + down, 1))]
    for _, lane in lanes:
        height = round(middle[lane] + down, 1)
        points += [(where[lane], height), (where[lane] + WIDE, height)]
    if where[first] == where[last]:  # the end of a long chain: around the outside
        return (*points, (where[last] + WIDE, round(middle[last] + down, 1)))
    return (*points, (where[last], round(middle[last] + down, 1)))
