"use strict";
// One participant's way through the study. What is kept in the browser, after every step:
//   { participant, at, answers: { group: { choices: { question: video }, watched: [video], seconds } } }
// Where videos are rated one by one, each is a group of its own and a choice is a mark ("1" ...).
// The page knows codes alone; which method they stand for is in the key of whoever made the study.

const study = JSON.parse(document.getElementById("study").textContent);
const $ = (id) => document.getElementById(id);
const rated = study.scale.length > 0; // one video at a time, with marks
const letter = (place) => String.fromCharCode(65 + place);
const shelf = (participant) => `study-${study.study}-${participant}`;

let state = null; // of the participant at work
let shownAt = 0; // when the group on show appeared, ms

// ------------------------------------------------------------------ what the browser keeps

function kept() {
  const found = [];
  try {
    for (let i = 0; i < localStorage.length; i++) {
      if (localStorage.key(i).startsWith(shelf(""))) {
        found.push(JSON.parse(localStorage.getItem(localStorage.key(i))));
      }
    }
  } catch (error) {
    trouble("This browser does not keep answers: do not close this page before you have saved them.");
  }
  return found.sort((a, b) => a.participant - b.participant);
}

function keep() {
  try {
    localStorage.setItem(shelf(state.participant), JSON.stringify(state));
  } catch (error) {
    trouble("This browser does not keep answers: do not close this page before you have saved them.");
  }
}

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = false;
}

// ------------------------------------------------------------------------------- the pages

function show(id) {
  for (const section of document.querySelectorAll("section")) section.hidden = section.id !== id;
  scrollTo(0, 0);
}

function welcome() {
  $("count").textContent = study.orders[0].length;
  $("participant").max = study.orders.length;
  const originals = Object.keys(study.originals).length > 0;
  $("original-key").hidden = $("about-original").hidden = !originals;
  for (const earlier of kept()) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "main";
    const done = order(earlier).filter(([group]) => complete(earlier, group)).length;
    button.textContent = `Go on as number ${earlier.participant} (${done} of ${order(earlier).length} done)`;
    button.onclick = () => begin(earlier);
    $("resume").append(button);
  }
  show("welcome");
}

function begin(from) {
  state = from;
  const first = order(state).findIndex(([group]) => !complete(state, group));
  if (first < 0) return finish();
  state.at = first;
  group();
}

const order = (of) => study.orders[of.participant - 1];
const complete = (of, code) =>
  study.questions.every((question) => of.answers[code] && of.answers[code].choices[question.id]);

function answer() {
  const [code] = order(state)[state.at];
  state.answers[code] ??= { choices: {}, watched: [], seconds: 0 };
  return state.answers[code];
}

function group() {
  const [code, videos] = order(state)[state.at];
  $("where").textContent = `${rated ? "Video" : "Group"} ${state.at + 1} of ${order(state).length}`;
  $("progress").max = order(state).length;
  $("progress").value = state.at;
  $("progress").setAttribute("aria-label", $("where").textContent);
  $("back").hidden = state.at === 0;
  $("hint").hidden = !$("keys").checked;
  $("videos").replaceChildren(
    ...(study.originals[code] ? [card(study.originals[code], "O", true)] : []),
    ...videos.map((video, place) => card(video, letter(place), false)),
  );
  $("questions").replaceChildren(...study.questions.map((question) => fieldset(question, videos)));
  shownAt = performance.now();
  mark(Math.max(0, study.questions.findIndex((question) => !answer().choices[question.id])));
  refresh();
  show("group");
  $("where").focus();
}

function card(code, key, original) {
  const { watched } = answer(); // of this group: events may come when the next one is on show
  const figure = document.createElement("figure");
  figure.dataset.key = key;
  figure.classList.toggle("original", original);
  const video = document.createElement("video");
  video.src = `${study.folder}/${code}.mp4`;
  video.preload = "auto";
  video.playsInline = true;
  video.setAttribute("aria-label", original ? "The original" : `Video ${key}`);
  const caption = document.createElement("figcaption");
  const title = document.createElement("b");
  title.textContent = original ? "Original" : key;
  const button = document.createElement("button");
  button.type = "button";
  const seen = document.createElement("span");
  seen.className = "seen";
  caption.append(title, button, seen);
  figure.append(video, caption);

  const paint = () => {
    button.textContent = video.paused ? "Play" : "Pause";
    button.setAttribute("aria-label", `${button.textContent} ${video.getAttribute("aria-label")}`);
    figure.classList.toggle("playing", !video.paused);
    seen.textContent = watched.includes(code) ? "✓ watched" : "";
    seen.classList.toggle("yes", watched.includes(code));
  };
  const toggle = () => {
    for (const other of document.querySelectorAll("video")) if (other !== video) other.pause();
    if (video.paused) video.play().catch(() => {}); // a fault is told by the error event
    else video.pause();
  };
  button.onclick = video.onclick = toggle;
  video.onplay = video.onpause = paint;
  video.ontimeupdate = video.onended = () => {
    if (video.currentTime < video.duration - 0.2 || watched.includes(code)) return;
    watched.push(code);
    keep();
    paint();
    refresh();
  };
  video.onerror = () => trouble(`${video.getAttribute("aria-label")} cannot be played. Is the folder “${study.folder}” still beside this page?`);
  paint();
  return figure;
}

function fieldset(question, videos) {
  const set = document.createElement("fieldset");
  const legend = document.createElement("legend");
  legend.textContent = question.text;
  const choices = document.createElement("div");
  choices.className = "choices";
  const offered = rated ? study.scale.map((_, place) => String(place + 1)) : videos;
  offered.forEach((choice, place) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    input.type = "radio";
    input.name = question.id;
    input.value = choice;
    input.checked = answer().choices[question.id] === choice;
    input.onchange = () => choose(question.id, choice);
    input.onfocus = () => mark(study.questions.indexOf(question));
    const text = document.createElement("span");
    text.textContent = rated ? `${choice} ${study.scale[place]}` : letter(place);
    label.append(input, text);
    choices.append(label);
  });
  set.append(legend, choices);
  return set;
}

function choose(question, video) {
  answer().choices[question] = video;
  keep();
  refresh();
}

function mark(place) {
  [...$("questions").children].forEach((set, i) => set.classList.toggle("current", i === place));
}

const marked = () => [...$("questions").children].findIndex((set) => set.classList.contains("current"));

function missing() {
  const [code, videos] = order(state)[state.at];
  const unseen = videos.findIndex((video) => !answer().watched.includes(video));
  if (unseen >= 0) return `Please watch ${rated ? "the video" : `video ${letter(unseen)}`} to its end.`;
  return complete(state, code) ? "" : "Please answer every question.";
}

function refresh() {
  $("status").textContent = missing();
  $("next").setAttribute("aria-disabled", String(Boolean(missing())));
  $("next").textContent = state.at + 1 < order(state).length ? "Next" : "Finish";
}

function leave() {
  answer().seconds += Math.round((performance.now() - shownAt) / 100) / 10;
  for (const video of document.querySelectorAll("video")) video.pause();
}

function next() {
  if (missing()) return refresh();
  leave();
  if (state.at + 1 < order(state).length) {
    state.at += 1;
    group();
  } else begin(state); // on to what was passed over, or to the end
  keep();
}

function back() {
  if (state.at === 0) return;
  leave();
  state.at -= 1;
  group();
}

function finish() {
  $("text").value = answers();
  $("saved").textContent = "";
  show("finish");
  $("thanks").focus();
}

// ----------------------------------------------------------------------------- the answers

function answers() {
  const given = order(state)
    .filter(([code]) => state.answers[code])
    .map(([code, shown]) => ({ group: code, shown, ...state.answers[code] }));
  const done = order(state).every(([code]) => complete(state, code));
  const record = { study: study.study, participant: state.participant, complete: done, answers: given };
  return JSON.stringify(record, null, 1);
}

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([answers()], { type: "application/json" }));
  link.download = `answers_${study.study}_${String(state.participant).padStart(3, "0")}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  $("saved").textContent = $("status").textContent = `Saved as ${link.download}.`;
}

// ------------------------------------------------------------------------------ the wiring

$("begin").onsubmit = (event) => {
  event.preventDefault();
  const participant = $("participant").valueAsNumber;
  const earlier = kept().find((one) => one.participant === participant);
  begin(earlier ?? { participant, at: 0, answers: {} });
};
$("next").onclick = next;
$("back").onclick = back;
$("save").onclick = $("save-part").onclick = save;
$("review").onclick = () => {
  state.at = 0;
  group();
};

document.addEventListener("keydown", (event) => {
  if ($("group").hidden || !$("keys").checked || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const played = document.querySelector(`figure[data-key="${CSS.escape(key)}"] button`);
  const place = "123456789".indexOf(key);
  const count = study.questions.length;
  const at = marked();
  const radios = document.querySelectorAll(`fieldset.current input`);
  if (played) played.click();
  else if (key.length === 1 && place >= 0 && radios[place]) {
    radios[place].checked = true;
    choose(radios[place].name, radios[place].value);
    mark(at + 1 < count ? at + 1 : at);
  } else if (key === "ArrowDown" || key === "ArrowUp") {
    mark(Math.min(count - 1, Math.max(0, at + (key === "ArrowDown" ? 1 : -1))));
  } else if (key === "Enter" && event.target.tagName !== "BUTTON") next();
  else if (key === "Backspace") back();
  else return;
  event.preventDefault();
});

welcome();
