package scores

import (
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

type Feed struct {
	url    string
	conn   *websocket.Conn
	retry  *time.Timer
	mutex  sync.Mutex
	closed bool
}

func (f *Feed) connect() {
	f.conn, _, _ = websocket.DefaultDialer.Dial(f.url, nil)
	go f.read()
}

func (f *Feed) read() {
	for {
		if _, _, err := f.conn.ReadMessage(); err != nil {
			f.mutex.Lock()
			defer f.mutex.Unlock()
			if !f.closed {
				f.retry = time.AfterFunc(3*time.Second, f.connect)
			}
			return
		}
	}
}

func (f *Feed) Close() error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.closed = true
	f.retry.Stop()
	return f.conn.Close()
}
