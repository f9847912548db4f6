import { type ReactNode, useEffect } from 'react';
import { Failed, Waiting } from './bits';
import { useEndedSession } from './Shell';

/** Sets the title of the window, and shows waiting and failure the same way on every page. */
export function Page<T>({ title, query, children }: { title: string; query: { data: T | undefined; error: Error | null }; children: (data: T) => ReactNode }) {
  useEndedSession(query.error);
  useEffect(() => {
    document.title = `${title} · Penstock`;
  }, [title]);
  if (query.data !== undefined)
    return (
      <>
        {query.error && <Failed error={query.error} />}
        {children(query.data)}
      </>
    );
  if (query.error)
    return (
      <>
        <h1>{title}</h1>
        <Failed error={query.error} />
      </>
    );
  return <Waiting />;
}
