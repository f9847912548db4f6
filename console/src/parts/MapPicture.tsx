import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import type { DataMap, MapBox, MapLink } from '../api/shapes';
import '../style/map.css';
import { KindIcon } from './icons';
import { count, kindName, labelName, plain } from './words';

/** The label chips a box has room for. */
const CHIPS = 3;

export interface Trace {
  boxes: Set<string>;
  links: Set<string>;
}
export const linkKey = (link: MapLink) => `${link.source} ${link.target}`;

/** Everything that leads to a box and all it leads on to, along one label or along all data. */
export function waysOf(map: DataMap, box: string, label: string): Trace {
  const boxes = new Set([box]);
  const links = new Set<string>();
  const carries = (link: MapLink) => !label || link.labels.includes(label);
  for (const [here, beyond] of [['target', 'source'], ['source', 'target']] as const) {
    const seen = new Set([box]);
    const todo = [box];
    for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
      for (const link of map.links) {
        if (link[here] !== at || !carries(link)) continue;
        links.add(linkKey(link));
        if (!seen.has(link[beyond])) {
          seen.add(link[beyond]);
          todo.push(link[beyond]);
        }
      }
    }
    for (const one of seen) boxes.add(one);
  }
  return { boxes, links };
}

export function traceOf(map: DataMap, label: string): Trace {
  return {
    boxes: new Set(map.boxes.filter((box) => box.labels.some((l) => l.label === label)).map((box) => box.id).concat(map.links.filter((l) => l.labels.includes(label)).map((l) => l.target))),
    links: new Set(map.links.filter((link) => link.labels.includes(label)).map(linkKey)),
  };
}

/** The map as it was laid out by the server: boxes are buttons, links lie behind them. */
export default function MapPicture({
  map,
  trace,
  chosen,
  fits,
  onBox,
  onLink,
}: {
  map: DataMap;
  trace: Trace | null;
  chosen: string;
  fits: boolean;
  onBox: (box: string) => void;
  onLink: (link: string) => void;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const room = useWidth(frame);
  const scale = fits && room > 0 ? Math.min(1, room / map.width) : 1;
  const boxes = useMemo(() => new Map(map.boxes.map((box) => [box.id, box])), [map]);
  const drawn = useMemo(() => [...map.links].sort((a, b) => Number(a.labels.length > 0) - Number(b.labels.length > 0)), [map]);
  const buttons = useRef(new Map<string, HTMLButtonElement>());
  useEffect(() => {
    buttons.current.get(chosen)?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [chosen, scale]);
  const move = (event: KeyboardEvent, from: MapBox) => {
    const to = neighbour(map, boxes, from, event.key, trace);
    if (!to) return;
    event.preventDefault();
    buttons.current.get(to)?.focus();
  };
  return (
    <div ref={frame} className="map-frame" role="region" aria-label="Picture of the data map" tabIndex={0}>
      <div className="map-sheet" style={{ width: map.width * scale, height: map.height * scale }}>
        <div className={trace ? 'map map-tracing' : 'map'} style={{ width: map.width, height: map.height, transform: `scale(${scale})` }}>
          <svg width={map.width} height={map.height} aria-hidden="true" focusable="false">
            <defs>
              {['map-head', 'map-head-data'].map((name) => (
                <marker key={name} id={name} className={name} viewBox="0 0 8 8" refX="7.2" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
                  <path d="M.5.8 7.500 4 .5 7.200z" />
                </marker>
              ))}
            </defs>
            {map.columns.map((column) => (
              <rect key={column.id} className="map-band" x={column.x - 18} y={8} width={column.width + 36} height={map.height - 20} rx={12} />
            ))}
            {drawn.map((link) => {
              const key = linkKey(link);
              const way = curve(link.points);
              const on = trace?.links.has(key) ?? false;
              return (
                <g key={key} className={`map-link${link.how === 'sees' ? ' map-sight' : ''}${link.labels.length ? ' map-data' : ''}${on ? ' map-on' : ''}${chosen === key ? ' map-chosen' : ''}`} data-link={key} onClick={() => onLink(key)}>
                  <title>{said(link)}</title>
                  <path className="map-near" d={way} />
                  <path className="map-line" d={way} markerEnd={`url(#${link.labels.length ? 'map-head-data' : 'map-head'})`} />
                </g>
              );
            })}
          </svg>
          {map.columns.map((column) => (
            <section key={column.id} aria-label={column.title}>
              <h2 className="map-title" style={{ left: column.x, width: column.width }}>
                {column.title}
                <span className="quiet push">{column.count.toLocaleString('en')}</span>
              </h2>
              {map.boxes
                .filter((box) => box.column === column.id)
                .sort((a, b) => a.x - b.x || a.y - b.y)
                .map((box) => (
                  <button
                    key={box.id}
                    type="button"
                    ref={(at) => {
                      if (at) buttons.current.set(box.id, at);
                      else buttons.current.delete(box.id);
                    }}
                    className={`map-box map-${dataOf(box)}${box.count > 1 ? ' map-group' : ''}${trace?.boxes.has(box.id) ? ' map-on' : ''}`}
                    style={{ left: box.x, top: box.y, width: map.box_width, height: box.height }}
                    aria-pressed={chosen === box.id}
                    data-box={box.id}
                    title={box.name}
                    onClick={() => onBox(box.id)}
                    onKeyDown={(event) => move(event, box)}
                  >
                    <BoxWords box={box} />
                  </button>
                ))}
            </section>
          ))}
        </div>
      </div>
    </div>
  );
}

function BoxWords({ box }: { box: MapBox }): ReactNode {
  if (box.count === 0) return <span className="map-name">{box.name}</span>;
  const shown = box.labels.slice(0, CHIPS);
  return (
    <>
      <span className="map-detail">
        {box.count === 1 && <KindIcon kind={box.kind} />}
        <span className="map-detail-words">{box.detail || kindName(box.kind)}</span>
      </span>
      <span className="map-name">
        <span aria-hidden="true">{box.short}</span>
        <span className="sr-only">{box.name}</span>
      </span>
      {shown.length > 0 && (
        <span className="map-chips">
          {shown.map((label) => (
            <span key={label.label} className={`map-chip map-is-${label.label}${label.contains ? '' : ' map-only'}`}>
              <span className="sr-only">{label.contains ? 'contains ' : 'may see '}</span>
              {labelName(label.label).replace(/ data$/, '')}
              {box.count > 1 && ` ${label.contains + label.sees}`}
            </span>
          ))}
          {box.labels.length > shown.length && <span className="quiet">+{box.labels.length - shown.length}</span>}
        </span>
      )}
    </>
  );
}

const dataOf = (box: MapBox) => (box.labels.some((l) => l.contains) ? 'held' : box.labels.length ? 'seen' : box.count ? 'bare' : 'audience');

/** The link in words, as a pointer that rests on it is told. */
export function said(link: MapLink): string {
  const lines = link.reasons.map((r) => `${r.source.name} ${plain(r.verb)} ${r.target.name}${r.evidence[0] ? ` · ${r.evidence[0].where}` : ''}`);
  if (link.count > lines.length) lines.push(`and ${count(link.count - lines.length, 'more relation')}`);
  if (link.count === 0) lines.push('who can reach it, by its declared audience or its network exposure');
  if (link.labels.length) lines.push(`${link.how === 'contains' ? 'carries' : 'shows'} ${link.labels.map(labelName).join(', ')}`);
  return lines.join('\n');
}

/** The box that an arrow key leads to: along a link sideways, within the column up and down. */
function neighbour(map: DataMap, boxes: Map<string, MapBox>, from: MapBox, key: string, trace: Trace | null): string | undefined {
  const near = (ids: string[]) =>
    ids
      .map((id) => boxes.get(id))
      .filter((box): box is MapBox => box !== undefined && (!trace || trace.boxes.has(box.id)))
      .sort((a, b) => Math.abs(a.y - from.y) - Math.abs(b.y - from.y))[0]?.id;
  if (key === 'ArrowRight') return near(map.links.filter((l) => l.source === from.id).map((l) => l.target));
  if (key === 'ArrowLeft') return near(map.links.filter((l) => l.target === from.id).map((l) => l.source));
  if (key !== 'ArrowUp' && key !== 'ArrowDown') return undefined;
  const beyond = (box: MapBox) => (key === 'ArrowDown' ? box.y > from.y : box.y < from.y);
  return near(map.boxes.filter((box) => box.x === from.x && beyond(box)).map((box) => box.id));
}

/** Level out of a box and level into the next, straight through lanes. */
function curve(points: number[][]): string {
  let way = '';
  let x = 0;
  let y = 0;
  points.forEach(([toX = 0, toY = 0], n) => {
    if (n === 0) way = `M${toX} ${toY}`;
    else if (toX === x) way += `C${x + 46} ${y} ${toX + 46} ${toY} ${toX} ${toY}`;
    else if (toY === y) way += `L${toX} ${toY}`;
    else way += `C${(x + toX) / 2} ${y} ${(x + toX) / 2} ${toY} ${toX} ${toY}`;
    [x, y] = [toX, toY];
  });
  return way;
}

function useWidth(frame: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const at = frame.current;
    if (!at) return;
    const watch = new ResizeObserver(() => setWidth(at.clientWidth));
    watch.observe(at);
    setWidth(at.clientWidth);
    return () => watch.disconnect();
  }, [frame]);
  return width;
}
