// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
//
// What makes the pages pleasanter. All of them work without it.
'use strict';

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const byId = (id) => document.getElementById(id);

// ---- Times in the reader's own zone

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
for (const time of all('time')) {
  const text = moment.format(new Date(time.dateTime));
  time.title = text;
  if (time.classList.contains('moment')) time.textContent = text;
}

// ---- Messages are read out, and the keyboard goes on from there

const said = byId('error') || byId('notice');
if (said) said.focus();

// ---- Row menus: one at a time, closed by Escape and by a click elsewhere, arrow keys inside

const menus = all('details.menu');
const closeMenus = (but) => menus.forEach((menu) => { if (menu !== but) menu.open = false; });
for (const menu of menus) {
  const items = all('.items > *', menu);
  menu.addEventListener('toggle', () => { if (menu.open) closeMenus(menu); });
  menu.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && menu.open) {
      menu.open = false;
      menu.querySelector('summary').focus();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || items.length === 0) return;
    event.preventDefault();
    menu.open = true;
    const at = items.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : items.length - 1) : at + step + items.length;
    items[next % items.length].focus();
  });
  menu.addEventListener('focusout', (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
}
document.addEventListener('click', (event) => closeMenus(event.target.closest('details.menu')));

// ---- Filters apply at once

const filters = document.querySelector('.filters');
if (filters) {
  filters.querySelector('.apply').hidden = true;
  for (const select of all('select', filters)) {
    select.addEventListener('change', () => filters.requestSubmit());
  }
  filters.addEventListener('submit', () => {
    // Empty ones make the address longer, no more.
    for (const field of all('input, select', filters)) field.disabled = field.value === '';
  });
}

// ---- Selection of rows

const selection = byId('selected');
const picks = all('tbody .pick input');
const selectAll = byId('select-all');
const chosen = () => picks.filter((pick) => pick.checked);
const tokens = (number) => `${number} token${number === 1 ? '' : 's'}`;

function showSelection() {
  const number = chosen().length;
  selection.hidden = number === 0;
  selection.querySelector('.selection-text').textContent = `${tokens(number)} selected`;
  selectAll.checked = number === picks.length;
  selectAll.indeterminate = number > 0 && number < picks.length;
}
if (selection) {
  selection.querySelector('.selection-text').setAttribute('role', 'status');
  selectAll.hidden = false;
  selectAll.addEventListener('change', () => {
    for (const pick of picks) pick.checked = selectAll.checked;
    showSelection();
  });
  for (const pick of picks) pick.addEventListener('change', showSelection);
  window.addEventListener('pageshow', showSelection);
  showSelection();
}

// ---- The question before a token is deleted

const ask = byId('ask');
function askToDelete(rows) {
  byId('ask-ids').replaceChildren(...rows.map(({ id }) => {
    const field = document.createElement('input');
    field.type = 'hidden';
    field.name = 'id';
    field.value = id;
    return field;
  }));
  byId('ask-title').textContent =
    rows.length === 1 ? 'Delete this token?' : `Delete these ${rows.length} tokens?`;
  byId('ask-names').className = 'names';
  byId('ask-names').replaceChildren(...rows.map(({ name }) => {
    const item = document.createElement('li');
    const text = document.createElement('bdi');
    text.textContent = name;
    item.append(text);
    return item;
  }));
  ask.showModal();
}
if (ask) {
  const nameIn = (row) => row.querySelector('.name').textContent;
  byId('ask-cancel').addEventListener('click', () => ask.close());
  for (const link of all('a[data-ask]')) {
    link.addEventListener('click', (event) => {
      event.preventDefault();
      closeMenus();
      link.closest('details').querySelector('summary').focus();  // where the dialog goes back to
      askToDelete([{ id: link.dataset.ask, name: nameIn(link.closest('tr')) }]);
    });
  }
  selection.addEventListener('submit', (event) => {
    if (event.submitter?.value !== 'delete' || chosen().length === 0) return;
    event.preventDefault();
    askToDelete(chosen().map((pick) => ({ id: pick.value, name: nameIn(pick.closest('tr')) })));
  });
}

// ---- The date of expiry, if one is chosen

const expires = byId('expires');
if (expires) {
  const date = byId('expires_on');
  const show = () => {
    const wanted = expires.value === 'date';
    byId('date-part').hidden = !wanted;
    date.required = wanted;
  };
  expires.addEventListener('change', show);
  show();
}

// ---- Copying

for (const button of all('[data-copy]')) {
  if (!navigator.clipboard) break;
  const label = button.firstChild;
  button.hidden = false;
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(byId(button.dataset.copy).textContent);
      label.textContent = 'Copied';
      button.classList.add('done');
    } catch {
      label.textContent = 'Not copied';
    }
  });
}

// ---- A new token is gone when its page is left, even from what the browser keeps for "back"

const newToken = byId('new-token');
if (newToken) {
  window.addEventListener('pagehide', () => { newToken.textContent = ''; });
  window.addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
}
