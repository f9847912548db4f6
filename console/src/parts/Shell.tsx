import { useMantineColorScheme } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { approvalsQuery, Refused, sessionQuery, signOut } from '../api/client';
import { SignInPage } from '../pages/SignIn';
import { Failed, Waiting } from './bits';
import { Mark } from './icons';

const PAGES = [
  { to: '/', name: 'Today' },
  { to: '/inventory', name: 'Inventory' },
  { to: '/data', name: 'Data map' },
  { to: '/risks', name: 'Risks' },
  { to: '/live', name: 'Live' },
  { to: '/approvals', name: 'Approvals' },
  { to: '/cases', name: 'Cases' },
  { to: '/coverage', name: 'Coverage' },
] as const;

export function Shell() {
  const onAsset = useRouterState({ select: (s) => s.location.pathname.startsWith('/assets/') });
  const session = useQuery(sessionQuery);
  if (session.isPending) return <Waiting />;
  if (session.error) return <main className="alone">{<Failed error={session.error} />}</main>;
  if (!session.data.user) return <SignInPage asks={session.data.asks} />;
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="side">
        <Link to="/" className="brand">
          <Mark />
          <span>Penstock</span>
        </Link>
        <nav aria-label="Pages">
          <ul>
            {PAGES.map((page) => (
              <li key={page.to}>
                <Link to={page.to} className={onAsset && page.to === '/inventory' ? 'nav nav-here' : 'nav'} activeOptions={{ exact: page.to === '/', includeSearch: false }} activeProps={{ className: 'nav nav-here', 'aria-current': 'page' }}>
                  {page.name}
                  {page.to === '/approvals' && <Waits />}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div className="side-foot">
          <Scheme />
          <Who user={session.data.user} asks={session.data.asks} />
        </div>
      </header>
      <Content />
    </div>
  );
}

/** Moves focus to the page after navigation, so that keyboard and screen reader start where the eye does. */
function Content() {
  const place = useRouterState({ select: (s) => s.location.pathname });
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
    window.scrollTo(0, 0);
  }, [place]);
  return (
    <main id="main" ref={main} tabIndex={-1}>
      <Outlet />
    </main>
  );
}

/** How many requests wait for an answer, beside the page that shows them. */
function Waits() {
  const waits = useQuery(approvalsQuery).data?.states.asked ?? 0;
  if (!waits) return null;
  return (
    <span className="nav-count">
      {waits}
      <span className="sr-only"> waiting</span>
    </span>
  );
}

function Scheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true }); // else it injects a style element
  return (
    <label className="scheme">
      <span className="sr-only">Colours</span>
      <select value={colorScheme} onChange={(e) => setColorScheme(e.target.value as 'auto' | 'light' | 'dark')}>
        <option value="auto">System colours</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}

function Who({ user, asks }: { user: string; asks: string }) {
  const queries = useQueryClient();
  if (asks !== 'token') return <span className="quiet small who">{user}</span>;
  return (
    <button
      type="button"
      className="link-button small who"
      onClick={() => signOut().then(() => queries.invalidateQueries({ queryKey: ['session'] }))}
    >
      Sign out {user}
    </button>
  );
}

/** A session that ended while the page was open: ask again who it is. */
export function useEndedSession(error: unknown) {
  const queries = useQueryClient();
  useEffect(() => {
    if (error instanceof Refused && error.status === 401) void queries.invalidateQueries({ queryKey: ['session'] });
  }, [error, queries]);
}
