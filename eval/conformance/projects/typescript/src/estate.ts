/** Somebody who sells houses. */
class Agent {
  constructor(readonly options: { name: string; model: string }) {}
}

export const decoy = new Agent({ name: "decoy", model: "decoy-model" });
