import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link } from '@tanstack/react-router';
import { Failed } from './parts/bits';
import { caseSearch, inventorySearch, liveSearch, mapSearch, queryString, readQuery, riskSearch } from './parts/search';
import { Shell } from './parts/Shell';
import { Today } from './pages/Today';

const root = createRootRoute({
  component: Shell,
  errorComponent: ({ error }) => <Failed error={error} />,
  notFoundComponent: () => (
    <>
      <h1>There is no such page</h1>
      <p>
        <Link to="/">Go to Today</Link>
      </p>
    </>
  ),
});

const today = createRoute({ getParentRoute: () => root, path: '/', component: Today });
const inventory = createRoute({
  getParentRoute: () => root,
  path: '/inventory',
  validateSearch: inventorySearch,
  component: lazyRouteComponent(() => import('./pages/Inventory'), 'Inventory'),
});
const asset = createRoute({
  getParentRoute: () => root,
  path: '/assets/$id',
  component: lazyRouteComponent(() => import('./pages/Asset'), 'AssetView'),
});
const dataMap = createRoute({
  getParentRoute: () => root,
  path: '/data',
  validateSearch: mapSearch,
  component: lazyRouteComponent(() => import('./pages/DataMap'), 'DataMapPage'),
});
const risks = createRoute({
  getParentRoute: () => root,
  path: '/risks',
  validateSearch: riskSearch,
  component: lazyRouteComponent(() => import('./pages/Risks'), 'Risks'),
});
const risk = createRoute({
  getParentRoute: () => root,
  path: '/risks/$id',
  component: lazyRouteComponent(() => import('./pages/Risk'), 'RiskPage'),
});
const approvals = createRoute({
  getParentRoute: () => root,
  path: '/approvals',
  component: lazyRouteComponent(() => import('./pages/Approvals'), 'Approvals'),
});
const live = createRoute({
  getParentRoute: () => root,
  path: '/live',
  validateSearch: liveSearch,
  component: lazyRouteComponent(() => import('./pages/Live'), 'Live'),
});
const oneCall = createRoute({
  getParentRoute: () => root,
  path: '/live/$id',
  validateSearch: liveSearch,
  component: lazyRouteComponent(() => import('./pages/Live'), 'CallView'),
});
const cases = createRoute({
  getParentRoute: () => root,
  path: '/cases',
  validateSearch: caseSearch,
  component: lazyRouteComponent(() => import('./pages/Cases'), 'Cases'),
});
const oneCase = createRoute({
  getParentRoute: () => root,
  path: '/cases/$id',
  component: lazyRouteComponent(() => import('./pages/Cases'), 'CaseView'),
});
const coverage = createRoute({
  getParentRoute: () => root,
  path: '/coverage',
  component: lazyRouteComponent(() => import('./pages/Coverage'), 'Coverage'),
});

export const router = createRouter({
  routeTree: root.addChildren([today, inventory, asset, dataMap, risks, risk, approvals, live, oneCall, cases, oneCase, coverage]),
  defaultPreload: 'intent',
  parseSearch: readQuery,
  stringifySearch: queryString,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
