import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { createColumnHelper, tableFeatures, useTable } from '@tanstack/react-table';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { assetsQuery } from '../api/client';
import type { AssetList, AssetRow, FacetValue } from '../api/shapes';
import { AssetLink, Empty, Exposure, Labels, Nothing, OwnerName, Severity } from '../parts/bits';
import { Page } from '../parts/Page';
import { type InventorySearch, queryString } from '../parts/search';
import { ago, count, exposureName, kindName, labelName, moment, plain, scopeName } from '../parts/words';

const PAGE = 50;
const route = getRouteApi('/inventory');
const FACETS = [
  ['kind', 'Kind', kindName],
  ['risk', 'Worst risk', (word: string) => (word === 'none' ? 'none known' : word)],
  ['label', 'Data', (word: string) => (word === 'none' ? 'none known' : labelName(word))],
  ['exposure', 'Faces', exposureName],
  ['owner', 'Owner', (word: string) => word],
  ['status', 'Status', plain],
] as const;

export function Inventory() {
  const search = route.useSearch();
  const query = useQuery(assetsQuery(queryString({ ...search, limit: PAGE, offset: search.offset ?? 0 })));
  return (
    <Page title="Inventory" query={query}>
      {(list) => <Listing list={list} search={search} />}
    </Page>
  );
}

function Listing({ list, search }: { list: AssetList; search: InventorySearch }) {
  const navigate = route.useNavigate();
  const change = (next: Partial<InventorySearch>) =>
    navigate({ search: (before) => ({ ...before, offset: undefined, ...next }), replace: true });
  const chosen = FACETS.reduce((n, [name]) => n + (search[name]?.length ?? 0), 0);
  const offset = search.offset ?? 0;
  return (
    <>
      <header className="page-head row">
        <h1>Inventory</h1>
        <p className="quiet" role="status">
          {count(list.total, 'asset')}
        </p>
        <Search value={search.q ?? ''} onChange={(q) => change({ q: q || undefined })} />
      </header>
      <div className="inventory">
        <form className="facets" aria-label="Filters" onSubmit={(e) => e.preventDefault()}>
          {chosen + (search.q ? 1 : 0) > 0 && (
            <Button variant="subtle" size="compact-sm" onClick={() => navigate({ search: {}, replace: true })}>
              Clear filters
            </Button>
          )}
          {FACETS.map(([name, title, word]) => (
            <Facet
              key={name}
              title={title}
              values={list.facets[name] ?? []}
              chosen={search[name] ?? []}
              word={name === 'owner' ? (_, named) => (named === 'unknown' ? 'nobody known' : named) : word}
              onChange={(values) => change({ [name]: values.length ? values : undefined })}
            />
          ))}
        </form>
        <div className="inventory-table">
          {list.total === 0 ? (
            <Empty>
              <h2>Nothing matches</h2>
              <p>Take a filter away, or scan the source that should hold it.</p>
            </Empty>
          ) : (
            <AssetTable rows={list.assets} search={search} onSort={(sort, order) => change({ sort, order })} />
          )}
          {list.total > PAGE && (
            <nav className="pager" aria-label="Pages of the list">
              <Button variant="default" size="xs" disabled={offset === 0} onClick={() => change({ offset: Math.max(0, offset - PAGE) || undefined })}>
                Previous
              </Button>
              <span className="quiet small">
                {offset + 1}–{Math.min(offset + PAGE, list.total)} of {list.total}
              </span>
              <Button variant="default" size="xs" disabled={offset + PAGE >= list.total} onClick={() => change({ offset: offset + PAGE })}>
                Next
              </Button>
            </nav>
          )}
        </div>
      </div>
    </>
  );
}

function Search({ value, onChange }: { value: string; onChange: (q: string) => void }) {
  const [text, setText] = useState(value);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    const slash = (event: globalThis.KeyboardEvent) => {
      const at = event.target as HTMLElement;
      if (event.key !== '/' || event.ctrlKey || event.metaKey || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)) return;
      event.preventDefault();
      box.current?.focus();
    };
    document.addEventListener('keydown', slash);
    return () => document.removeEventListener('keydown', slash);
  }, []);
  useEffect(() => {
    if (text === value) return;
    const later = setTimeout(() => onChange(text), 200);
    return () => clearTimeout(later);
  }, [text, value, onChange]);
  return (
    <TextInput ref={box} className="search" type="search" aria-label="Search the inventory" placeholder="Search (press /)" value={text} onChange={(e) => setText(e.currentTarget.value)} maxLength={200} />
  );
}

const SHOWN = 8;

function Facet({
  title,
  values,
  chosen,
  word,
  onChange,
}: {
  title: string;
  values: FacetValue[];
  chosen: string[];
  word: (value: string, name: string) => string;
  onChange: (values: string[]) => void;
}) {
  const [all, setAll] = useState(false);
  if (values.length === 0 && chosen.length === 0) return null;
  const missing = chosen.filter((v) => !values.some((row) => row.value === v)).map((value) => ({ value, name: value, count: 0 }));
  const rows = [...values, ...missing];
  const shown = all ? rows : rows.filter((row, i) => i < SHOWN || chosen.includes(row.value));
  return (
    <fieldset className="facet">
      <legend>{title}</legend>
      {shown.map((row) => (
        <label key={row.value} className={row.count ? 'facet-row' : 'facet-row quiet'}>
          <input
            type="checkbox"
            checked={chosen.includes(row.value)}
            onChange={(e) => onChange(e.target.checked ? [...chosen, row.value] : chosen.filter((v) => v !== row.value))}
          />
          <span className="facet-name">{word(row.value, row.name)}</span>
          <span className="quiet small">{row.count}</span>
        </label>
      ))}
      {rows.length > SHOWN && (
        <button type="button" className="link-button small" onClick={() => setAll(!all)}>
          {all ? 'Fewer' : `${rows.length - SHOWN} more`}
        </button>
      )}
    </fieldset>
  );
}

const features = tableFeatures({});
const helper = createColumnHelper<typeof features, AssetRow>();
const columns = helper.columns([
  helper.accessor('name', {
    header: 'Name',
    cell: ({ row }) => (
      <div className="cell-name">
        <AssetLink asset={row.original} />
        <span className="quiet small">
          {kindName(row.original.kind)}
          {row.original.scope && ` · ${scopeName(row.original.scope)}`}
          {row.original.status !== 'used' && ` · ${plain(row.original.status)}`}
          {row.original.lifecycle !== 'current' && ` · ${row.original.lifecycle}`}
        </span>
      </div>
    ),
  }),
  helper.accessor('risk', {
    header: 'Risk',
    cell: ({ row }) =>
      row.original.findings ? (
        <Link to="/risks" search={{ asset: row.original.id }} className="risk-link" aria-label={`${row.original.risk}: ${count(row.original.findings, 'risk')} with ${row.original.name}`}>
          <Severity level={row.original.risk} />
          <span className="quiet small">{row.original.findings}</span>
        </Link>
      ) : (
        <Nothing says="none known" />
      ),
  }),
  helper.accessor('exposure', { header: 'Faces', cell: ({ row }) => (row.original.exposure ? <Exposure word={row.original.exposure} /> : <Nothing says="not known" />) }),
  helper.accessor('contains', {
    header: 'Data',
    cell: ({ row }) =>
      row.original.contains.length + row.original.sees.length === 0 ? (
        <Nothing says="none known" />
      ) : (
        <>
          <Labels labels={row.original.contains} />
          <Labels labels={row.original.sees} how="sees" />
        </>
      ),
  }),
  helper.accessor('owner', { header: 'Owner', cell: ({ row }) => <OwnerName owner={row.original.owner} /> }),
  helper.accessor('used_for', { header: 'Used for', cell: ({ row }) => <span className="clamp">{row.original.used_for || <Nothing says="not known" />}</span> }),
  helper.accessor('last_seen', { header: 'Last seen', cell: ({ row }) => <span className="quiet nowrap" title={moment(row.original.last_seen)}>{ago(row.original.last_seen)}</span> }),
]);
const SORTS: Record<string, InventorySearch['sort']> = { name: 'name', exposure: 'exposure', owner: 'owner', risk: 'risk', last_seen: 'last_seen' };

function AssetTable({ rows, search, onSort }: { rows: AssetRow[]; search: InventorySearch; onSort: (sort: InventorySearch['sort'], order: 'asc' | 'desc') => void }) {
  const table = useTable({ features, columns, data: rows, getRowId: (row) => row.id });
  const sort = search.sort ?? 'risk';
  const order = search.order ?? 'asc';
  return (
    <div className="table-scroll" role="region" aria-label="Assets" tabIndex={0}>
      <table className="table assets" onKeyDown={walkRows}>
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id}>
              {group.headers.map((header) => {
                const by = SORTS[header.column.id];
                const here = by === sort;
                return (
                  <th key={header.id} scope="col" className={`col-${header.column.id}`} aria-sort={here ? (order === 'asc' ? 'ascending' : 'descending') : undefined}>
                    {by ? (
                      <button type="button" className="sort" onClick={() => onSort(by, here && order === 'asc' ? 'desc' : 'asc')}>
                        <table.FlexRender header={header} />
                        <span aria-hidden="true" className="sort-mark">
                          {here ? (order === 'asc' ? '↓' : '↑') : ''}
                        </span>
                      </button>
                    ) : (
                      <table.FlexRender header={header} />
                    )}
                  </th>
                );
              })}
            </tr>
          ))}
        </thead>
        <tbody>
          {table.getRowModel().rows.map((row) => (
            <tr key={row.id}>
              {row.getAllCells().map((cell) => (
                <td key={cell.id} className={`col-${cell.column.id}`}>
                  <table.FlexRender cell={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Arrow keys go from row to row, over the links of the name column. */
function walkRows(event: KeyboardEvent<HTMLTableElement>) {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>('td.col-name a')];
  const row = (event.target as HTMLElement).closest('tr');
  const here = links.findIndex((link) => row?.contains(link));
  const next = links[here + (event.key === 'ArrowDown' ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

