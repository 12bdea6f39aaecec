// Signs in with a token that is typed, or with the one-time code behind the # of a link: what stands there is sent to no
// server by itself and stays in no server's log.
(() => {
  const form = document.getElementById("sign-in");
  const token = document.getElementById("token");
  const said = document.getElementById("said");
  const go = document.getElementById("go");

  const wanted = () => {
    const next = new URLSearchParams(location.search).get("next") ?? "/";
    try {
      const url = new URL(next, location.origin);
      return url.origin === location.origin && next.startsWith("/") ? url.pathname + url.search : "/";
    } catch {
      return "/";
    }
  };

  const say = (message, hint) => {
    said.hidden = !message;
    said.textContent = hint ? `${message} (${hint})` : message;
  };

  const ask = async (path, asked) => {
    go.disabled = true;
    say("");
    try {
      const answer = await fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(asked),
        credentials: "same-origin",
      });
      if (answer.status === 204) {
        location.replace(wanted());
        return;
      }
      const told = await answer.json();
      say(told.message, told.hint);
    } catch {
      say("The dashboard does not answer.", "is it running?");
    }
    go.disabled = false;
    token.focus();
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (token.value.trim()) ask("/sign-in", { token: token.value.trim() });
    else say("No token was given.");
  });

  const redeem = () => {
    const code = location.hash.slice(1);
    if (code) {
      // Neither the history nor a bookmark shall have it.
      history.replaceState(null, "", location.pathname + location.search);
      ask("/sign-in/code", { code });
    } else {
      token.focus();
    }
  };
  window.addEventListener("hashchange", redeem);
  redeem();
})();
