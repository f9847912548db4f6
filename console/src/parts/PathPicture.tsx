import dagre from '@dagrejs/dagre';
import { useComputedColorScheme } from '@mantine/core';
import { type Edge, Handle, MarkerType, type Node, type NodeProps, Position, ReactFlow, ReactFlowProvider, useReactFlow } from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Hop } from '../api/shapes';
import { Labels } from './bits';
import { KindIcon } from './icons';
import { exposureName, kindName, labelName, plain } from './words';

const WIDE = 176;
const HIGH = 104;
const GAP = 104;
/** Below this zoom names are too small to read: the path then runs from top to bottom. */
const SMALLEST = 0.72;

type Box = Node<{ hop: Hop; chosen: boolean; down: boolean }, 'asset'>;

/** The path from left to right; the table below it holds the same facts. */
export default function PathPicture(props: { path: Hop[]; chosen: number; onChoose: (step: number) => void }) {
  return (
    <ReactFlowProvider>
      <Picture {...props} />
    </ReactFlowProvider>
  );
}

function Picture({ path, chosen, onChoose }: { path: Hop[]; chosen: number; onChoose: (step: number) => void }) {
  const scheme = useComputedColorScheme('light');
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const flow = useReactFlow();
  const across = path.length * WIDE + (path.length - 1) * GAP + 32;
  const down = width > 0 && width / across < SMALLEST;
  const { nodes, edges } = useMemo(() => draw(path, chosen, down), [path, chosen, down]);
  const high = down ? path.length * HIGH + (path.length - 1) * 56 + 32 : HIGH + 56;
  useEffect(() => {
    const later = requestAnimationFrame(() => void flow.fitView({ padding: 0.04, maxZoom: 1 }));
    return () => cancelAnimationFrame(later);
  }, [flow, width, down, path]);
  return (
    <div ref={frame} className="picture" style={{ height: high }}>
      {width > 0 && (
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={NODES}
          colorMode={scheme}
          fitView
          fitViewOptions={{ padding: 0.04, maxZoom: 1 }}
          minZoom={0.3}
          maxZoom={1.5}
          nodesDraggable={false}
          nodesConnectable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          nodesFocusable={false}
          panOnDrag={false}
          panOnScroll={false}
          zoomOnScroll={false}
          zoomOnPinch={false}
          zoomOnDoubleClick={false}
          preventScrolling={false}
          onNodeClick={(_, node) => onChoose(Number(node.id))}
          proOptions={{ hideAttribution: true }}
        />
      )}
    </div>
  );
}

function AssetBox({ data, id }: NodeProps<Box>) {
  const { hop, chosen, down } = data;
  return (
    <div className={`box${chosen ? ' box-chosen' : ''}${hop.exposure === 'internet' ? ' box-internet' : ''}${hop.cut ? ' box-cut' : ''}`} data-step={id}>
      {hop.cut && <span className="box-flag">change here</span>}
      <Handle type="target" position={down ? Position.Top : Position.Left} isConnectable={false} />
      <div className="box-kind">
        <KindIcon kind={hop.asset.kind} />
        {kindName(hop.asset.kind)}
        {hop.exposure && <span className="push">{exposureName(hop.exposure)}</span>}
      </div>
      <div className="box-name" title={hop.asset.name}>
        {hop.asset.name}
      </div>
      <div className="box-foot">
        <Labels labels={hop.labels.slice(0, 1)} />
        {hop.labels.length > 1 && (
          <span className="quiet" title={hop.labels.map(labelName).join(', ')}>
            +{hop.labels.length - 1}
          </span>
        )}
      </div>
      <Handle type="source" position={down ? Position.Bottom : Position.Right} isConnectable={false} />
    </div>
  );
}

const NODES = { asset: AssetBox };

function draw(path: Hop[], chosen: number, down: boolean): { nodes: Box[]; edges: Edge[] } {
  const graph = new dagre.graphlib.Graph<object, { width: number; height: number; x?: number; y?: number }, object>();
  graph.setGraph({ rankdir: down ? 'TB' : 'LR', ranksep: down ? 56 : GAP, nodesep: 20 });
  graph.setDefaultEdgeLabel(() => ({}));
  path.forEach((_, i) => graph.setNode(String(i), { width: WIDE, height: HIGH }));
  path.slice(1).forEach((_, i) => graph.setEdge(String(i), String(i + 1)));
  dagre.layout(graph);
  const nodes: Box[] = path.map((hop, i) => {
    const at = graph.node(String(i));
    return {
      id: String(i),
      type: 'asset',
      width: WIDE,
      height: HIGH,
      position: { x: (at.x ?? 0) - WIDE / 2, y: (at.y ?? 0) - HIGH / 2 },
      data: { hop, chosen: i === chosen, down },
    };
  });
  const edges: Edge[] = path.slice(1).map((hop, i) => {
    const head = { type: MarkerType.ArrowClosed, width: 16, height: 16, color: 'var(--line-strong)' };
    return {
      id: `${i}`,
      source: String(i),
      target: String(i + 1),
      type: 'straight',
      label: plain(hop.verb),
      labelBgPadding: [4, 2],
      ...(hop.forward ? { markerEnd: head } : { markerStart: { ...head, orient: 'auto-start-reverse' } }),
    };
  });
  return { nodes, edges };
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
