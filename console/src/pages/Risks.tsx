import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { findingsQuery, fixesQuery } from '../api/client';
import type { FixGroup, Risk } from '../api/shapes';
import { AssetLink, Empty, More, OwnerName, PathStrip, Severity } from '../parts/bits';
import { Page } from '../parts/Page';
import { RiskCard } from '../parts/RiskCard';
import type { RiskSearch } from '../parts/search';
import { ago, count } from '../parts/words';

const route = getRouteApi('/risks');

export function Risks() {
  const { view, ...search } = route.useSearch();
  return view === 'each' ? <EachRisk search={search} /> : <ByFix search={search} />;
}

function ByFix({ search }: { search: RiskSearch }) {
  const query = useInfiniteQuery(fixesQuery(search));
  return (
    <Page title="Risks" query={query}>
      {({ pages }) => {
        const groups = pages.flatMap((page) => page.groups);
        const { total, risks, severities } = pages[pages.length - 1]!;
        return (
          <>
            <Head search={search} said={risks > 0 ? `${count(total, 'change')} would close ${count(risks, 'risk')}` : 'no risk'} severities={severities} />
            {groups.length === 0 ? <NoRisk search={search} /> : groups.map((group) => <Change key={group.at.id} group={group} />)}
            <More shown={groups.length} total={total} what="change" busy={query.isFetchingNextPage} onMore={() => void query.fetchNextPage()} />
          </>
        );
      }}
    </Page>
  );
}

function EachRisk({ search }: { search: RiskSearch }) {
  const query = useInfiniteQuery(findingsQuery(search));
  return (
    <Page title="Risks" query={query}>
      {({ pages }) => {
        const risks = pages.flatMap((page) => page.findings);
        const { total, severities } = pages[pages.length - 1]!;
        return (
          <>
            <Head search={search} each said={count(total, 'risk')} severities={severities} />
            {risks.length === 0 ? (
              <NoRisk search={search} />
            ) : (
              <div className="cards">
                {risks.map((risk) => (
                  <RiskCard key={risk.id} risk={risk} level={2} />
                ))}
              </div>
            )}
            <More shown={risks.length} total={total} what="risk" busy={query.isFetchingNextPage} onMore={() => void query.fetchNextPage()} />
          </>
        );
      }}
    </Page>
  );
}

/** One thing to change, and what that closes. */
function Change({ group }: { group: FixGroup }) {
  const left = group.closes - group.risks.length;
  return (
    <section className="change-group" aria-label={`Change ${group.at.name}`}>
      <div className="change-head">
        <h2>
          Change <AssetLink asset={group.at} withKind />
        </h2>
        <span>closes {count(group.closes, 'risk')}</span>
        <span className="quiet small push">
          owner: <OwnerName owner={group.owner} />
        </span>
      </div>
      <ul className="plain change-risks">
        {group.risks.map((risk, i) => (
          <RiskLine key={risk.id} risk={risk} whole={i === 0} />
        ))}
      </ul>
      {left > 0 && (
        <Link to="/risks" search={{ view: 'each', asset: group.at.id }} className="small">
          {count(left, 'more risk')} at {group.at.name}
        </Link>
      )}
    </section>
  );
}

/** The worst of a group is shown with its path, the others by name and reason. */
function RiskLine({ risk, whole }: { risk: Risk; whole: boolean }) {
  return (
    <li>
      <Severity level={risk.severity} />
      <div className="change-risk">
        <h3>
          <Link to="/risks/$id" params={{ id: risk.id }}>
            {risk.title}
          </Link>
          {risk.state !== 'open' && <span className="tag">{risk.state}</span>}
        </h3>
        <p className="small">{risk.explanation}</p>
        {whole && risk.path.length > 1 && <PathStrip path={risk.path} />}
        <p className="small quiet">
          <b>Fix:</b> {risk.fix}
        </p>
      </div>
      <span className="quiet small nowrap" title={risk.first_seen ? `open ${ago(risk.first_seen)}` : undefined}>
        {risk.rule}
      </span>
    </li>
  );
}

function NoRisk({ search }: { search: RiskSearch }) {
  return (
    <Empty>
      <h2>{search.state === 'accepted' ? 'Nothing is accepted' : 'No risk is known here'}</h2>
      <p>
        Rules judge only what was seen: <Link to="/coverage">see what could not be</Link>.
      </p>
    </Empty>
  );
}

function Head({ search, each = false, said, severities }: { search: RiskSearch; each?: boolean; said: string; severities: Record<string, number> }) {
  const navigate = route.useNavigate();
  const change = (next: RiskSearch) => navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  const chosen = search.severity ?? [];
  return (
    <>
      <header className="page-head row">
        <h1>Risks</h1>
        <p className="quiet" role="status">
          {said}
        </p>
        <div className="chips" role="group" aria-label="Severity and state">
          {Object.entries(severities).map(([severity, n]) => (
            <button
              key={severity}
              type="button"
              className="chip"
              aria-pressed={chosen.includes(severity)}
              onClick={() => {
                const next = chosen.includes(severity) ? chosen.filter((s) => s !== severity) : [...chosen, severity];
                void change({ severity: next.length ? next : undefined });
              }}
            >
              <Severity level={severity} /> {n}
            </button>
          ))}
          <button type="button" className="chip" aria-pressed={search.state === 'accepted'} onClick={() => void change({ state: search.state === 'accepted' ? undefined : 'accepted' })}>
            accepted
          </button>
        </div>
        <div className="chips push" role="group" aria-label="Arrange">
          <button type="button" className="chip" aria-pressed={!each} onClick={() => void change({ view: undefined })}>
            by what to change
          </button>
          <button type="button" className="chip" aria-pressed={each} onClick={() => void change({ view: 'each' })}>
            each risk
          </button>
        </div>
      </header>
      {(search.asset || search.rule) && (
        <p className="narrowed">
          Only {search.rule ? <>rule {search.rule}</> : <>risks with one asset</>}.{' '}
          <Link to="/risks" search={{ view: each ? 'each' : undefined }}>
            Show all
          </Link>
        </p>
      )}
    </>
  );
}
