export const SHARED_MODEL = "gpt-5";

export enum Model {
  Router = "gpt-4.1",
}

class Settings {
  summaryModel = "gpt-4.1-mini";
}

export const settings = new Settings();
