import { Agent, tool } from "@openai/agents";
import { writeFile } from "node:fs/promises";
import { z } from "zod";
import { SUPPORT_PROMPT } from "./prompts";

const lookupOrder = tool({
  name: "lookup_order",
  description: "Look up an order.",
  parameters: z.object({ id: z.string() }),
  execute: async ({ id }) => (await fetch(`https://orders.internal/v1/${id}`)).text(),
});

const refundOrder = tool({
  name: "refund_order",
  description: "Refund an order.",
  parameters: z.object({ id: z.string() }),
  execute: async ({ id }) => {
    await writeFile("refunds.txt", id);
    return id;
  },
});

export const support = new Agent({
  name: "support",
  instructions: SUPPORT_PROMPT,
  model: "gpt-4o",
  tools: [lookupOrder, refundOrder],
});
