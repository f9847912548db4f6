/** Small pictures drawn for this console; decoration only, the word always stands beside them. */

const SHAPES: Record<string, string> = {
  model: 'M8 1.8 14 5v6l-6 3.200L2 11V5z M2 5l6 3.200L14 5 M8 8.200v6',
  agent: 'M3.500 6.500h9v7h-9z M8 6.500V3.500 M8 3.500h.01 M6 9.500v1 M10 9.500v1',
  application: 'M2 3h12v10H2z M2 6h12 M4 4.500h.01 M6 4.500h.01',
  tool: 'M9.500 2.500a3.500 3.500 0 0 0-3 5L2.500 11.500l2 2 4-4a3.500 3.500 0 0 0 5-3l-2 1.500-2-.500-.500-2z',
  data: 'M2.500 4c0-1.200 2.400-2 5.500-2s5.500.8 5.500 2-2.400 2-5.500 2-5.500-.8-5.500-2z M2.500 4v8c0 1.200 2.400 2 5.500 2s5.500-.8 5.500-2V4 M2.500 8c0 1.200 2.400 2 5.500 2s5.500-.8 5.500-2',
  endpoint: 'M2 8h4 M10 8h4 M8 10.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z M8 2v1.500 M8 12.500V14',
  pipeline: 'M2 4h5v3H2z M9 9h5v3H9z M7 5.500h3.500a1 1 0 0 1 1 1V9',
  prompt: 'M2 3h12v8H7l-3 2.500V11H2z M5 6h6 M5 8.500h4',
  people: 'M8 7.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z M3 14c.4-2.800 2.300-4.300 5-4.300s4.600 1.500 5 4.300',
  other: 'M3 3h10v10H3z',
  key: 'M5.500 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6z M8.500 8H14v2.500 M11.500 8v2',
};

const OF_KIND: Record<string, string> = {
  model: 'model', agent: 'agent', assistant: 'agent', application: 'application', workspace: 'application',
  tool: 'tool', mcp_server: 'tool', skill: 'tool', hook: 'tool', guardrail: 'tool', framework: 'tool', package: 'tool',
  dataset: 'data', knowledge_base: 'data', vector_store: 'data', data_store: 'data', log_store: 'data', memory: 'data',
  content_source: 'data', registry: 'data', endpoint: 'endpoint', provider: 'endpoint', infrastructure: 'endpoint',
  hardware: 'endpoint', image: 'endpoint', pipeline: 'pipeline', prompt: 'prompt', rules_file: 'prompt',
  team: 'people', person: 'people', process: 'people', credential: 'key', identity: 'key',
};

export function KindIcon({ kind }: { kind: string }) {
  const family = OF_KIND[kind] ?? 'other';
  return (
    <svg className={`icon icon-${family}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={SHAPES[family]} fill="none" stroke="currentColor" strokeWidth="1.3" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}

export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" width="26" height="26" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" fill="var(--brand)" />
      <path d="M9 6v13M23 6v13M9 9h14" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" fill="none" />
      <path d="M13 12.500h6v5h-6z" fill="#fff" />
      <path d="M6.500 24c2.400-2.400 4.400-2.400 6.400-.600s4 1.800 6.200 0 4.200-1.800 6.400.600" stroke="#7fd6dc" strokeWidth="2.600" strokeLinecap="round" fill="none" />
    </svg>
  );
}

export const Chevron = () => (
  <svg className="chevron" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" focusable="false">
    <path d="M4 2.500 8 6 4 9.500" fill="none" stroke="currentColor" strokeWidth="1.500" strokeLinecap="round" strokeLinejoin="round" />
  </svg>
);
