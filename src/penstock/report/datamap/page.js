
'use strict';
const map = document.querySelector('svg.penstock');
const boxes = [...map.querySelectorAll('.box')];
const links = [...map.querySelectorAll('.link')];
const choices = [...document.querySelectorAll('[data-label]')];
const told = document.getElementById('told');
let label = '';

const carries = (element) => !label || element.dataset.labels.split(' ').includes(label);

/** Everything that leads to a box and all it leads on to, along the chosen label. */
function ways(box) {
  const found = new Set([box]);
  for (const [here, beyond] of [['to', 'from'], ['from', 'to']]) {
    const seen = new Set([box.dataset.id]);
    const todo = [box.dataset.id];
    while (todo.length) {
      const at = todo.pop();
      for (const link of links) {
        if (link.dataset[here] !== at || !carries(link)) continue;
        found.add(link);
        if (!seen.has(link.dataset[beyond])) {
          seen.add(link.dataset[beyond]);
          todo.push(link.dataset[beyond]);
        }
      }
    }
    for (const other of boxes) if (seen.has(other.dataset.id)) found.add(other);
  }
  return found;
}

function show(found, chosen, words) {
  map.classList.toggle('tracing', found !== null);
  for (const part of [...boxes, ...links]) {
    part.classList.toggle('on', found !== null && found.has(part));
    part.classList.toggle('chosen', part === chosen);
  }
  told.textContent = words;
}

function rest() {
  if (!label) return show(null, null, '');
  const taken = links.filter(carries);
  const reached = new Set(taken.map((link) => link.dataset.to));
  show(new Set([...taken, ...boxes.filter((box) => carries(box) || reached.has(box.dataset.id))]), null, '');
}

function choose(part) {
  if (part.classList.contains('chosen')) return rest();
  const found = part.classList.contains('box') ? ways(part) : new Set([part, ...boxes.filter((b) => [part.dataset.from, part.dataset.to].includes(b.dataset.id))]);
  show(found, part, part.querySelector('title').textContent);
}

for (const button of choices) {
  button.addEventListener('click', () => {
    label = label === button.dataset.label ? '' : button.dataset.label;
    for (const other of choices) other.setAttribute('aria-pressed', String(other.dataset.label === label));
    rest();
  });
}
const fit = document.getElementById('fit');
fit.addEventListener('click', () => {
  const fits = map.classList.toggle('fits');
  fit.setAttribute('aria-pressed', String(fits));
});
map.removeAttribute('role');
for (const box of boxes) {
  box.setAttribute('tabindex', '0');
  box.setAttribute('role', 'button');
  box.setAttribute('aria-label', box.querySelector('title').textContent);
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      choose(box);
    }
  });
}
for (const part of [...boxes, ...links]) part.addEventListener('click', () => choose(part));
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') rest();
});
