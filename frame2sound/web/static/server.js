// Asks the server; an error is the line that the server gives.

async function answerOf(response) {
  if (response.ok) return response;
  let text = `the studio answered ${response.status}`;
  try {
    text = (await response.json()).error ?? text;
  } catch { /* no JSON: the status has to do */ }
  throw new Error(text);
}

async function send(path, options) {
  try {
    return await fetch(path, options);
  } catch {
    throw new Error("the studio does not answer; is its command still running?");
  }
}

export async function getJson(path) {
  return (await answerOf(await send(path))).json();
}

export async function getPeaks(name, pieces) {
  const path = `/api/peaks?name=${encodeURIComponent(name)}&pieces=${pieces}`;
  const response = await answerOf(await send(path));
  const seconds = Number(response.headers.get("X-Seconds"));
  return { seconds, values: new Int16Array(await response.arrayBuffer()) };
}

export async function postJson(path, table) {
  const headers = { "Content-Type": "application/json", "X-Frame2Sound": "1" };
  const options = { method: "POST", headers, body: JSON.stringify(table ?? {}) };
  return (await answerOf(await send(path, options))).json();
}

// XMLHttpRequest, since fetch does not report the progress of what it sends.
export function upload(file, part, folder, onProgress) {
  const query = new URLSearchParams({ part, name: file.name, folder });
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/upload?${query}`);
    request.setRequestHeader("X-Frame2Sound", "1");
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress(event.loaded / Math.max(event.total, 1));
    request.onerror = () => reject(new Error(`${file.name} was not taken: it is over the limit, or the studio is closed`));
    request.onload = () => request.status === 200 ? resolve(request.response.name)
      : reject(new Error(request.response?.error ?? `the studio answered ${request.status}`));
    request.send(file);
  });
}

export function mediaUrl(name, download = false) {
  const path = name.split("/").map(encodeURIComponent).join("/");
  return `/media/${path}${download ? "?download=1" : ""}`;
}
