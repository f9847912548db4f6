import { Agent, tool } from "@openai/agents";
import { z } from "zod";
import { SUPPORT_PROMPT } from "./prompts";

const lookupOrder = tool({
  name: "lookup_order",
  description: "Look up an order.",
  parameters: z.object({ id: z.string() }),
  execute: async ({ id }) => id,
});

const refundOrder = tool({
  name: "refund_order",
  description: "Refund an order.",
  parameters: z.object({ id: z.string() }),
  execute: async ({ id }) => id,
});

export const support = new Agent({
  name: "support",
  instructions: SUPPORT_PROMPT,
  model: "gpt-4o",
  tools: [lookupOrder, refundOrder],
});
