import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { Model, SHARED_MODEL, settings } from "./config";

const MODEL = "gpt-4o";
const FAMILY = "sonnet";
const MODELS = { cheap: "gpt-3.5-turbo" };

const client = new OpenAI();
const claude = new Anthropic();

export async function constant(question: string) {
  return client.responses.create({ model: MODEL, input: question });
}

export async function concatenation(question: string) {
  return client.responses.create({ model: MODEL + "-mini", input: question });
}

export async function template(question: string) {
  return claude.messages.create({
    model: `claude-${FAMILY}-4-5`,
    max_tokens: 100,
    messages: [{ role: "user", content: question }],
  });
}

export async function enumerated(question: string) {
  return client.responses.create({ model: Model.Router, input: question });
}

export async function configured(question: string) {
  return client.responses.create({ model: settings.summaryModel, input: question });
}

export async function fromEnvironment(question: string) {
  return client.responses.create({ model: process.env.TRIAGE_MODEL ?? "gpt-4.1-nano", input: question });
}

export async function fromFile(question: string) {
  return client.responses.create({ model: process.env.SUPPORT_MODEL!, input: question });
}

export async function fromCompose(question: string) {
  return client.responses.create({ model: process.env["REASONING_MODEL"]!, input: question });
}

export async function imported(question: string) {
  return client.responses.create({ model: SHARED_MODEL, input: question });
}

export class Classifier {
  private model: string;

  constructor() {
    this.model = "gpt-5-mini";
  }

  async classify(text: string) {
    return client.responses.create({ model: this.model, input: text });
  }
}

export async function defaulted(question: string, model = "gpt-5-nano") {
  return client.responses.create({ model, input: question });
}

async function passed(question: string, model: string) {
  return client.responses.create({ model, input: question });
}

export async function caller() {
  return passed("hello", "gpt-4-turbo");
}

export async function chosen(question: string) {
  return client.responses.create({ model: MODELS["cheap"], input: question });
}

// client.responses.create({ model: "gpt-4-32k", input: "old" });
