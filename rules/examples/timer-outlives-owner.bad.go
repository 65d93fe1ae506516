package scores

import (
	"time"

	"github.com/gorilla/websocket"
)

type Feed struct {
	url   string
	conn  *websocket.Conn
	retry *time.Timer
}

func (f *Feed) connect() {
	f.conn, _, _ = websocket.DefaultDialer.Dial(f.url, nil)
	go f.read()
}

func (f *Feed) read() {
	for {
		if _, _, err := f.conn.ReadMessage(); err != nil {
			f.retry = time.AfterFunc(3*time.Second, f.connect)
			return
		}
	}
}

func (f *Feed) Close() error {
	f.retry.Stop()
	return f.conn.Close()
}
