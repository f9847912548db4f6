import { openai } from "@ai-sdk/openai";
import { convertToModelMessages, streamText, tool, type UIMessage } from "ai";
import { z } from "zod";

import { search } from "../../../lib/recipes";

const findRecipes = tool({
  description: "Find recipes by ingredient",
  inputSchema: z.object({ ingredient: z.string() }),
  execute: async ({ ingredient }) => search(ingredient),
});

export async function POST(request: Request) {
  const { messages }: { messages: UIMessage[] } = await request.json();
  const result = streamText({
    model: openai("gpt-4o-mini"),
    system: "You suggest recipes from our own collection, never from anywhere else.",
    messages: convertToModelMessages(messages),
    tools: { findRecipes },
  });
  return result.toUIMessageStreamResponse();
}
