// The goroutine-per-hub pattern of Go chat servers on gorilla/websocket: register,
// unregister and broadcast channels, one buffered channel per client, queued
// messages joined by newlines into one frame. Nothing stored.
package main

import (
	"log"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

type hub struct {
	members              map[*client]bool
	broadcast            chan []byte
	register, unregister chan *client
}

type client struct {
	hub  *hub
	conn *websocket.Conn
	out  chan []byte
}

var (
	upgrader = websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024, CheckOrigin: func(*http.Request) bool { return true }}
	rooms    sync.Map
)

func (h *hub) run() {
	for {
		select {
		case c := <-h.register:
			h.members[c] = true
		case c := <-h.unregister:
			if h.members[c] {
				delete(h.members, c)
				close(c.out)
			}
		case message := <-h.broadcast:
			for c := range h.members {
				select {
				case c.out <- message:
				default: // a full buffer costs the member its connection
					close(c.out)
					delete(h.members, c)
				}
			}
		}
	}
}

func (c *client) read() {
	defer func() { c.hub.unregister <- c; c.conn.Close() }()
	for {
		_, message, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		c.hub.broadcast <- message
	}
}

func (c *client) write() {
	defer c.conn.Close()
	for message := range c.out {
		c.conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
		w, err := c.conn.NextWriter(websocket.TextMessage)
		if err != nil {
			return
		}
		w.Write(message)
		for n := len(c.out); n > 0; n-- {
			w.Write([]byte{'\n'})
			w.Write(<-c.out)
		}
		if w.Close() != nil {
			return
		}
	}
}

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		made := &hub{map[*client]bool{}, make(chan []byte), make(chan *client), make(chan *client)}
		found, loaded := rooms.LoadOrStore(r.URL.Path, made)
		if !loaded {
			go made.run()
		}
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		c := &client{found.(*hub), conn, make(chan []byte, 8192)}
		c.hub.register <- c
		go c.write()
		go c.read()
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
