// A page's end of the stream that pages without one of their own share (`shared.js`, in a worker).

const HERE_MS = 10_000;

/** As `openLine` (line.js): a line, or null where browsers have no such workers. */
export function join({ ticket, since, names, heard, broken }) {
  const { sharedStream } = document.documentElement.dataset;
  if (!window.SharedWorker || !sharedStream) return null;
  const { port } = new SharedWorker(sharedStream, { type: "module", name: "watchfloor" });
  const alive = setInterval(() => port.postMessage({ act: "here" }), HERE_MS);
  const line = {
    readyState: EventSource.CONNECTING,
    close() {
      clearInterval(alive);
      port.onmessage = null;
      port.postMessage({ act: "leave" });
      port.close();
    },
  };
  port.onmessage = ({ data: { name, data, id, readyState } }) => {
    line.readyState = readyState;
    if (name) heard(name, data, id);
    else broken();
  };
  port.postMessage({ act: "join", ticket, since, names });
  return line;
}
