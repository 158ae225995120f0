// What changed, as it changes. One stream a browser: the tab that holds the lock listens and tells the others,
// because a browser opens only six connections to a server over HTTP/1.1.

const REOPEN_MS = 5000;

// Calls onChange(id) for one call, form, chat or text, onChange(null) where anything may have changed; onState(isLive) as it comes and goes.
export function follow(onChange, onState) {
  const others = "BroadcastChannel" in window ? new BroadcastChannel("numberpool") : null;
  const tell = (message) => {
    receive(message);
    others?.postMessage(message);
  };
  const receive = ({ call, live, asks }) => {
    if (asks) return;
    if (live !== undefined) onState(live);
    if (call !== undefined) onChange(call);
  };
  let live = false;
  if (others) {
    others.onmessage = ({ data }) => {
      if (data.asks && source) others.postMessage({ live });
      else receive(data);
    };
  }
  let source = null;
  const open = () => {
    source = new EventSource("/events");
    source.addEventListener("hello", () => tell({ live: (live = true) }));
    source.addEventListener("again", () => tell({ call: null }));
    source.addEventListener("call", (event) => tell({ call: JSON.parse(event.data).call }));
    source.addEventListener("lead", (event) => tell({ call: JSON.parse(event.data).lead }));
    source.addEventListener("text", (event) => tell({ call: `text:${JSON.parse(event.data).text}` }));
    source.onerror = () => {
      tell({ live: (live = false) });
      // Closed for good (signed out, perhaps): reading the page again will tell.
      if (source.readyState === EventSource.CLOSED) {
        setTimeout(() => {
          tell({ call: null });
          open();
        }, REOPEN_MS);
      }
    };
  };

  // Locks exist only in secure contexts; elsewhere every tab listens for itself.
  if (!navigator.locks || !others) {
    open();
    return;
  }
  navigator.locks.request("numberpool stream", () => {
    open();
    return new Promise(() => {});
  });
  others.postMessage({ asks: true });
}
