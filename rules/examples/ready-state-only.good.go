package uplink

import (
	"errors"
	"time"

	"github.com/gorilla/websocket"
)

const pongWait = 30 * time.Second

type Uplink struct {
	conn      *websocket.Conn
	connected bool
}

func (u *Uplink) Run(conn *websocket.Conn) {
	u.conn, u.connected = conn, true
	conn.SetPongHandler(func(string) error {
		return conn.SetReadDeadline(time.Now().Add(pongWait)) // a missing pong fails the read
	})
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			u.connected = false
			return
		}
	}
}

func (u *Uplink) Report(reading any) error {
	if !u.connected {
		return errors.New("not connected")
	}
	return u.conn.WriteJSON(reading)
}
