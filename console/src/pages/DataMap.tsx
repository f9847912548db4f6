import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { mapQuery, whyQuery } from '../api/client';
import type { DataMap, LabelCount, LabelShape, MapBox, MapLink } from '../api/shapes';
import { AssetLink, Disclosure, Empty, EvidenceList, Failed, Nothing, PathStrip, Waiting } from '../parts/bits';
import MapPicture, { linkKey, traceOf, waysOf } from '../parts/MapPicture';
import { Page } from '../parts/Page';
import { type MapSearch, queryString } from '../parts/search';
import { count, labelName, plain } from '../parts/words';

const route = getRouteApi('/data');

export function DataMapPage() {
  const search = route.useSearch();
  const query = useQuery(mapQuery(queryString({ label: search.only ? search.label : undefined, asset: search.asset })));
  return (
    <Page title="Data map" query={query}>
      {(map) => <Body map={map} search={search} />}
    </Page>
  );
}

function Body({ map, search }: { map: DataMap; search: MapSearch }) {
  const navigate = route.useNavigate();
  const change = (next: Partial<MapSearch>) => navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  const label = search.label ?? '';
  const chosen = search.at ?? '';
  const box = map.boxes.find((one) => one.id === chosen);
  const link = map.links.find((one) => linkKey(one) === chosen);
  const trace = box ? waysOf(map, box.id, label) : link ? { boxes: new Set([link.source, link.target]), links: new Set([linkKey(link)]) } : label ? traceOf(map, label) : null;
  const around = search.asset && (map.boxes.find((one) => one.count === 1 && one.assets[0]?.id === search.asset)?.name ?? 'one asset');
  const choose = (id: string) => change({ at: id === chosen ? undefined : id });
  return (
    <div className="data-map">
      <header className="page-head">
        <h1>Data map</h1>
        <p className="lead">
          Where data comes from, what is built from it, and who can get at it: {count(map.shown, 'asset')}
          {map.groups > 0 && ` in ${count(map.boxes.length, 'box', 'boxes')}, ${count(map.groups, 'of them a group', 'of them groups')}`}.
          {map.apart > 0 && ` ${count(map.apart, 'more has', 'more have')} no known flow of data.`}
        </p>
      </header>
      <div className="map-tools">
        <div role="group" aria-label="Trace one label" className="map-labels">
          {map.labels.map((one) => (
            <button key={one.label} type="button" className={`map-pick map-is-${one.label}`} aria-pressed={label === one.label} title={counted(one)} onClick={() => change({ label: label === one.label ? undefined : one.label, only: undefined, at: undefined })}>
              {labelName(one.label)} <b>{(one.contains + one.sees).toLocaleString('en')}</b>
            </button>
          ))}
          {map.labels.length === 0 && <span className="quiet">No labelled data is known here. That is not the same as none.</span>}
        </div>
        <div className="map-views">
          {around && (
            <button type="button" className="map-view" onClick={() => change({ asset: undefined, at: undefined })}>
              Only around {around} <span aria-hidden="true">×</span>
              <span className="sr-only">: show the whole map</span>
            </button>
          )}
          {label && (
            <label className="map-check">
              <input type="checkbox" checked={search.only ?? false} onChange={(e) => change({ only: e.target.checked || undefined, at: undefined })} /> Hide the rest
            </label>
          )}
          {search.view !== 'table' && (
            <label className="map-check">
              <input type="checkbox" checked={search.fit ?? false} onChange={(e) => change({ fit: e.target.checked || undefined })} /> Fit to window
            </label>
          )}
          <div role="group" aria-label="Shown as">
            <button type="button" className="map-view" aria-pressed={search.view !== 'table'} onClick={() => change({ view: undefined })}>
              Picture
            </button>
            <button type="button" className="map-view" aria-pressed={search.view === 'table'} onClick={() => change({ view: 'table' })}>
              Table
            </button>
          </div>
        </div>
      </div>
      {label && <p className="small quiet map-told">{told(map, label)}</p>}
      {map.boxes.length === 0 ? (
        <Empty>
          <h2>No flow of data is known</h2>
          <p>Scan a source that trains a model, fills an index or calls one with data.</p>
        </Empty>
      ) : search.view === 'table' ? (
        <MapTable map={map} label={label} />
      ) : (
        <div className={box || link ? 'map-split' : undefined}>
          <MapPicture map={map} trace={trace} chosen={chosen} fits={search.fit ?? false} onBox={choose} onLink={choose} />
          {(box || link) && (
            <aside className="map-side" aria-label={box ? `About ${box.name}` : 'About this link'}>
              <button type="button" className="link-button small map-close" onClick={() => change({ at: undefined })}>
                Close
              </button>
              {box && <AboutBox map={map} box={box} label={label} onAround={(asset) => change({ asset, at: undefined })} />}
              {link && <AboutLink map={map} link={link} />}
            </aside>
          )}
        </div>
      )}
    </div>
  );
}

const counted = (one: LabelCount) => `${one.contains.toLocaleString('en')} contain it, ${one.sees.toLocaleString('en')} may see it`;

function told(map: DataMap, label: string): string {
  const found = map.labels.find((one) => one.label === label);
  return found ? `${labelName(label).replace(/^./, (c) => c.toUpperCase())}: ${counted(found)}.` : `Nothing here touches ${labelName(label)}.`;
}

function AboutBox({ map, box, label, onAround }: { map: DataMap; box: MapBox; label: string; onAround: (asset: string) => void }) {
  const only = box.count === 1 ? box.assets[0] : undefined;
  return (
    <>
      <h2>{only ? <AssetLink asset={only} /> : box.name}</h2>
      <p className="quiet small">{box.detail || (box.count === 0 ? 'who can reach it, as declared or by network exposure' : '')}</p>
      {box.count > 1 && (
        <>
          {box.labels.length > 0 && (
            <ul className="plain small">
              {box.labels.map((one) => (
                <li key={one.label}>
                  {labelName(one.label)}: {counted(one)}, of {box.count.toLocaleString('en')}
                </li>
              ))}
            </ul>
          )}
          <Disclosure label={`The ${count(box.count, 'asset')}`}>
            <ul className="plain">
              {box.assets.map((asset) => (
                <li key={asset.id}>
                  <AssetLink asset={asset} />
                </li>
              ))}
            </ul>
            {box.count > box.assets.length && <p className="quiet small">and {count(box.count - box.assets.length, 'more')}</p>}
          </Disclosure>
        </>
      )}
      {only && (
        <p>
          <button type="button" className="link-button small" onClick={() => onAround(only.id)}>
            Only what leads here and on from here
          </button>
        </p>
      )}
      {only && <Why asset={only.id} label={label} />}
      <Links title="Comes from" links={map.links.filter((l) => l.target === box.id)} map={map} end="source" />
      <Links title="Goes to" links={map.links.filter((l) => l.source === box.id)} map={map} end="target" />
    </>
  );
}

/** The shortest way of each label, hop by hop, with what every hop rests on. */
function Why({ asset, label }: { asset: string; label: string }) {
  const query = useQuery(whyQuery(asset, label));
  if (query.error) return <Failed error={query.error} />;
  if (!query.data) return <Waiting />;
  return (
    <>
      {query.data.labels.map((one) => (
        <Reason key={one.label} reason={one} />
      ))}
      {query.data.notes.map((note) => (
        <p key={note} className="warn small">
          {note}
        </p>
      ))}
    </>
  );
}

const LEAKAGE: Record<string, string> = {
  verbatim: 'it is there as it was',
  extractable: 'a model learned it and can be made to say it',
  inferable: 'it is bounded by a method that nobody has accepted yet',
};

function Reason({ reason }: { reason: LabelShape }) {
  return (
    <div className="map-why">
      <h3>
        {reason.how === 'contains' ? 'Contains' : 'May see'} {labelName(reason.label)}
      </h3>
      {reason.leakage && <p className="quiet small">By its worst way {LEAKAGE[reason.leakage] ?? reason.leakage}.</p>}
      <p className="quiet small">The shortest way:</p>
      <PathStrip path={reason.proof} />
      <Disclosure label={`Why: ${count(reason.proof.length - 1, 'hop')}`}>
        <ol className="map-hops">
          {reason.proof.map((hop, n) => (
            <li key={`${n} ${hop.asset.id}`}>
              {hop.verb && <span className="quiet">{plain(hop.verb)} </span>}
              <AssetLink asset={hop.asset} />
              <EvidenceList evidence={hop.evidence.slice(0, 1)} />
            </li>
          ))}
        </ol>
      </Disclosure>
    </div>
  );
}

function Links({ title, links, map, end }: { title: string; links: MapLink[]; map: DataMap; end: 'source' | 'target' }) {
  if (links.length === 0) return null;
  return (
    <div className="map-why">
      <h3>{title}</h3>
      <ul className="plain">
        {links.map((link) => (
          <li key={linkKey(link)}>
            <Disclosure label={nameOf(map, link[end])}>
              <Reasons link={link} />
            </Disclosure>
          </li>
        ))}
      </ul>
    </div>
  );
}

function AboutLink({ map, link }: { map: DataMap; link: MapLink }) {
  return (
    <>
      <h2>
        {nameOf(map, link.source)} <span aria-hidden="true">→</span>
        <span className="sr-only">to</span> {nameOf(map, link.target)}
      </h2>
      <Reasons link={link} />
    </>
  );
}

/** Why data flows here: each relation with its evidence, and what travels along it. */
function Reasons({ link }: { link: MapLink }) {
  return (
    <>
      <p className="small">
        {link.labels.length === 0 ? 'No labelled data is known to flow here.' : `${link.how === 'contains' ? 'Carries' : 'Shows'} ${link.labels.map(labelName).join(', ')}.`}
      </p>
      {link.count === 0 && <p className="quiet small">Who can reach it, by its declared audience or its network exposure.</p>}
      <ul className="plain map-reasons">
        {link.reasons.map((reason) => (
          <li key={`${reason.source.id} ${reason.verb} ${reason.target.id}`}>
            <p className="small">
              {reason.source.name} <b>{plain(reason.verb)}</b> {reason.target.name}
            </p>
            <EvidenceList evidence={reason.evidence} />
          </li>
        ))}
      </ul>
      {link.count > link.reasons.length && <p className="quiet small">and {count(link.count - link.reasons.length, 'more relation')}</p>}
    </>
  );
}

const nameOf = (map: DataMap, box: string) => map.boxes.find((one) => one.id === box)?.name ?? box;

/** The same facts for whoever reads better than they see, or wants to copy them. */
function MapTable({ map, label }: { map: DataMap; label: string }) {
  const shown = map.boxes.filter((box) => !label || box.labels.some((one) => one.label === label));
  const columns = new Map(map.columns.map((column) => [column.id, column.title]));
  return (
    <div className="table-scroll" role="region" aria-label="Table of the data map" tabIndex={0}>
      <table className="table map-table">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Column</th>
            <th scope="col">Contains</th>
            <th scope="col">May see</th>
            <th scope="col">Comes from</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((box) => (
            <tr key={box.id}>
              <th scope="row">
                {box.count === 1 && box.assets[0] ? <AssetLink asset={box.assets[0]} /> : box.name}
                <span className="quiet small block">{box.detail}</span>
              </th>
              <td>{columns.get(box.column)}</td>
              <td>{labelCell(box, 'contains')}</td>
              <td>{labelCell(box, 'sees')}</td>
              <td>
                {map.links
                  .filter((link) => link.target === box.id && (!label || link.labels.includes(label)))
                  .map((link) => (
                    <Disclosure key={linkKey(link)} label={nameOf(map, link.source)}>
                      <Reasons link={link} />
                    </Disclosure>
                  ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function labelCell(box: MapBox, how: 'contains' | 'sees'): ReactNode {
  const found = box.labels.filter((one) => one[how] > 0);
  if (found.length === 0) return <Nothing says={how === 'contains' ? 'contains nothing known to be sensitive' : 'sees nothing more'} />;
  return found.map((one) => labelName(one.label) + (box.count > 1 ? ` (${one[how].toLocaleString('en')} of ${box.count.toLocaleString('en')})` : '')).join(', ');
}
