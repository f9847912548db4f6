import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { coverageQuery, questionsQuery } from '../api/client';
import type { UnseenRow } from '../api/shapes';
import { Asked } from '../parts/Asked';
import { Disclosure, Empty, Failed, More, QuestionGroups, Section, Troubles, Waiting } from '../parts/bits';
import { Page } from '../parts/Page';
import { ago, count, moment, plain, scopeName } from '../parts/words';

export function Coverage() {
  const query = useQuery(coverageQuery);
  return (
    <Page title="Coverage" query={query}>
      {(page) => (
        <>
          <header className="page-head">
            <h1>Coverage</h1>
            <p className="lead">
              {page.failed === 0 ? 'Everything that should be readable was read' : `${count(page.failed, 'place')} should have been readable and ${page.failed === 1 ? 'was' : 'were'} not`}
              {page.skipped > 0 && `; ${page.skipped} left out on purpose`}.
            </p>
          </header>
          <Troubles troubles={page.troubles} />
          <Section title="What could not be seen">
            {page.unseen.length === 0 ? <p className="quiet">Nothing is hidden from us that we know of.</p> : <Unseen rows={page.unseen} />}
            {page.unseen_total > page.unseen.length && <p className="quiet small">The first {page.unseen.length} of {page.unseen_total}.</p>}
          </Section>
          <Section title="Sources">
            {page.sources.length === 0 ? (
              <Empty>
                <p>No source was scanned yet.</p>
                <pre>penstock scan path/to/your/repository</pre>
              </Empty>
            ) : (
              <div className="table-scroll" role="region" aria-label="Table of sources" tabIndex={0}>
                <table className="table">
                  <thead>
                    <tr>
                      <th scope="col">Source</th>
                      <th scope="col">Looked at</th>
                      <th scope="col">Finished</th>
                      <th scope="col">Assets</th>
                      <th scope="col">Unseen</th>
                      <th scope="col">Absence can be read for</th>
                    </tr>
                  </thead>
                  <tbody>
                    {page.sources.map((s) => (
                      <tr key={s.scope}>
                        <th scope="row">{scopeName(s.scope)}</th>
                        <td className="nowrap" title={moment(s.last_scan)}>
                          {ago(s.last_scan)}
                        </td>
                        <td className="nowrap">{s.last_finished === null ? <span className="warn">never</span> : s.last_finished < s.last_scan ? <span className="warn">{ago(s.last_finished)}</span> : 'yes'}</td>
                        <td>{s.assets}</td>
                        <td>{s.failed || <span className="quiet">–</span>}</td>
                        <td className="quiet small">{s.complete.length ? <span title={s.complete.map(plain).join(', ')}>{s.complete.length > 6 ? `${s.complete.slice(0, 5).map(plain).join(', ')} and ${s.complete.length - 5} more` : s.complete.map(plain).join(', ')}</span> : 'nothing: missing relations are unknown, not absent'}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
          </Section>
          <Questions />
        </>
      )}
    </Page>
  );
}

/** Grouped by asset, the most pressing first: who knows the one answer often knows the others. */
function Questions() {
  const query = useInfiniteQuery(questionsQuery);
  const pages = query.data?.pages ?? [];
  const groups = pages.flatMap((page) => page.groups);
  const last = pages.at(-1);
  return (
    <Section title="Only a person can say" id="questions" aside={last && <span className="quiet small">{last.total > 0 && `${count(last.total, 'question')} about ${count(last.assets, 'asset')}`}</span>}>
      {query.error ? <Failed error={query.error} /> : !last ? <Waiting /> : last.total === 0 ? <p className="quiet">No open questions.</p> : <QuestionGroups groups={groups} most={3} line={(question) => <Asked question={question} />} />}
      {last && <More shown={groups.length} total={last.assets} what="asset" busy={query.isFetchingNextPage} onMore={() => query.fetchNextPage()} />}
    </Section>
  );
}

/** Grouped by reason: one missing permission hides a hundred files, and is one thing to do. */
function Unseen({ rows }: { rows: UnseenRow[] }) {
  const [skipped, setSkipped] = useState(false);
  const shown = rows.filter((row) => skipped || !row.skipped);
  const groups = new Map<string, UnseenRow[]>();
  for (const row of shown) {
    const key = `${row.why}\n${row.hint}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const left = rows.filter((row) => row.skipped).length;
  return (
    <>
      {shown.length === 0 && <p className="quiet">No failure.</p>}
      <ul className="plain unseen">
        {[...groups.entries()].map(([key, group]) => (
          <li key={key}>
            <p>
              <b>{group[0]?.why}</b> <span className="quiet">· {count(group.length, 'place')}</span>
            </p>
            {group[0]?.hint && <p className="small">{group[0].hint}</p>}
            <Disclosure label={group.length === 1 ? <code>{group[0]?.where}</code> : 'Show the places'}>
              <ul className="plain">
                {group.slice(0, 200).map((row, i) => (
                  <li key={i}>
                    <code>{row.where}</code> <span className="quiet small">{[row.what, row.collector, scopeName(row.scope)].filter(Boolean).join(' · ')}</span>
                  </li>
                ))}
              </ul>
            </Disclosure>
          </li>
        ))}
      </ul>
      {left > 0 && (
        <label className="facet-row">
          <input type="checkbox" checked={skipped} onChange={(e) => setSkipped(e.target.checked)} /> Also show {left} left out on purpose
        </label>
      )}
    </>
  );
}
