import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { findingsQuery } from '../api/client';
import { Empty, Severity } from '../parts/bits';
import { Page } from '../parts/Page';
import { RiskCard } from '../parts/RiskCard';
import { queryString } from '../parts/search';
import { count } from '../parts/words';

const route = getRouteApi('/risks');

export function Risks() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery(findingsQuery(queryString({ ...search, limit: 100 })));
  const chosen = search.severity ?? [];
  return (
    <Page title="Risks" query={query}>
      {(list) => (
        <>
          <header className="page-head row">
            <h1>Risks</h1>
            <p className="quiet" role="status">
              {count(list.total, 'risk')}
            </p>
            <div className="chips" role="group" aria-label="Severity">
              {Object.entries(list.severities).map(([severity, n]) => (
                <button
                  key={severity}
                  type="button"
                  className="chip"
                  aria-pressed={chosen.includes(severity)}
                  onClick={() =>
                    navigate({
                      search: (before) => {
                        const next = chosen.includes(severity) ? chosen.filter((s) => s !== severity) : [...chosen, severity];
                        return { ...before, severity: next.length ? next : undefined };
                      },
                      replace: true,
                    })
                  }
                >
                  <Severity level={severity} /> {n}
                </button>
              ))}
              <button
                type="button"
                className="chip"
                aria-pressed={search.state === 'accepted'}
                onClick={() => navigate({ search: (before) => ({ ...before, state: before.state === 'accepted' ? undefined : 'accepted' }), replace: true })}
              >
                accepted
              </button>
            </div>
          </header>
          {(search.asset || search.rule) && (
            <p className="narrowed">
              Only {search.rule ? <>rule {search.rule}</> : <>risks with one asset</>}.{' '}
              <Link to="/risks" search={{}}>
                Show all
              </Link>
            </p>
          )}
          {list.findings.length === 0 ? (
            <Empty>
              <h2>{search.state === 'accepted' ? 'Nothing is accepted' : 'No risk is known here'}</h2>
              <p>
                Rules judge only what was seen: <Link to="/coverage">see what could not be</Link>.
              </p>
            </Empty>
          ) : (
            <div className="cards">
              {list.findings.map((risk) => (
                <RiskCard key={risk.id} risk={risk} level={2} />
              ))}
            </div>
          )}
          {list.total > list.findings.length && <p className="quiet">The worst {list.findings.length} of {list.total} are shown; narrow the list to see others.</p>}
        </>
      )}
    </Page>
  );
}
