import recipes from "../data/recipes.json";

export type Recipe = { title: string; minutes: number; ingredients: string[] };

export function search(ingredient: string): Recipe[] {
  const wanted = ingredient.toLowerCase();
  return (recipes as Recipe[]).filter((recipe) => recipe.ingredients.some((name) => name.includes(wanted)));
}
