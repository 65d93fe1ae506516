package uplink

import (
	"errors"

	"github.com/gorilla/websocket"
)

type Uplink struct {
	conn      *websocket.Conn
	connected bool
}

func (u *Uplink) Run(conn *websocket.Conn) {
	u.conn, u.connected = conn, true
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			u.connected = false // minutes after the peer has gone, or never
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
